import { RESOURCE_TYPES, type SearchParameter, searchParameters } from '@scopegate/fhir-model'
import type { FhirEndpointDeps } from './deps.ts'
import type { EndpointContext } from './step.ts'

/** What a client may ask of `GET /metadata`. @see https://hl7.org/fhir/R4/http.html#capabilities */
export type CapabilityMode = 'full' | 'normative'

const OAUTH_URIS = 'http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris'
const SECURITY_SERVICE = 'http://terminology.hl7.org/CodeSystem/restful-security-service'
const SMART_SERVICE = {
  coding: [{ system: SECURITY_SERVICE, code: 'SMART-on-FHIR', display: 'SMART-on-FHIR' }],
  text: 'OAuth2 using SMART scopes; see .well-known/smart-configuration',
}

/** Resource types that are normative in R4. @see https://hl7.org/fhir/R4/versions.html#maturity */
const NORMATIVE: ReadonlySet<string> = new Set([
  'Binary',
  'Bundle',
  'CapabilityStatement',
  'CodeSystem',
  'Observation',
  'OperationDefinition',
  'OperationOutcome',
  'Parameters',
  'Patient',
  'StructureDefinition',
  'ValueSet',
])

/**
 * The CapabilityStatement: made from the tables that the endpoint works by, so that it lists what
 * works and nothing else. The same for every caller; what a token permits is not in it.
 */
export function capabilityStatement(
  deps: Pick<FhirEndpointDeps, 'software' | 'oauth'>,
  endpoint: Pick<EndpointContext, 'baseUrl' | 'settings' | 'schemes'>,
  startedAtMs: number,
  mode: CapabilityMode = 'full',
): string {
  const types = RESOURCE_TYPES.filter((type) => mode === 'full' || NORMATIVE.has(type))
  const pointing = reverseIncludes()
  return JSON.stringify({
    resourceType: 'CapabilityStatement',
    status: 'active',
    date: new Date(startedAtMs).toISOString(),
    kind: 'instance',
    ...(deps.software === undefined ? {} : { software: deps.software }),
    implementation: {
      description: 'FHIR R4 repository, guarded by SMART scopes',
      url: endpoint.baseUrl,
    },
    fhirVersion: '4.0.1',
    format: ['application/fhir+json', 'json'],
    rest: [
      {
        mode: 'server',
        security: security(deps.oauth, endpoint.schemes),
        resource: types.map((type) =>
          resourceCapability(type, endpoint.settings.updateCreate, pointing.get(type) ?? []),
        ),
        interaction: [{ code: 'batch' }, { code: 'transaction' }],
        searchParam: COMMON.map((name) =>
          searchParameters('Patient').find(({ code }) => code === name),
        )
          .filter((parameter) => parameter !== undefined)
          .map(searchParam),
      },
    ],
  })
}

const COMMON = ['_id', '_lastUpdated', '_profile', '_security', '_source', '_tag']

function resourceCapability(type: string, updateCreate: boolean, revIncludes: readonly string[]) {
  const parameters = searchParameters(type).filter(isOffered)
  const includes = parameters
    .filter((parameter) => parameter.type === 'reference')
    .map(({ code }) => `${type}:${code}`)
  return {
    type,
    interaction: [
      'read',
      'vread',
      'history-instance',
      'search-type',
      'create',
      'update',
      'delete',
    ].map((code) => ({ code })),
    versioning: 'versioned-update',
    readHistory: true,
    updateCreate,
    conditionalCreate: false,
    conditionalRead: 'full-support',
    conditionalUpdate: false,
    conditionalDelete: 'not-supported',
    referencePolicy: ['literal', 'logical'],
    ...(includes.length === 0 ? {} : { searchInclude: ['*', ...includes] }),
    ...(revIncludes.length === 0 ? {} : { searchRevInclude: revIncludes }),
    searchParam: parameters.map(searchParam),
  }
}

/** `special` parameters each have a meaning of their own, which is not claimed. */
function isOffered(parameter: SearchParameter): boolean {
  return parameter.type !== 'special'
}

function searchParam({ code, url, type }: SearchParameter) {
  return { name: code, definition: url, type }
}

/** `Source:param` by the type it may point to. */
function reverseIncludes(): ReadonlyMap<string, readonly string[]> {
  const byTarget = new Map<string, string[]>()
  for (const source of RESOURCE_TYPES) {
    for (const { code, type, targets } of searchParameters(source)) {
      if (type !== 'reference') continue
      for (const target of targets) {
        const list = byTarget.get(target) ?? []
        list.push(`${source}:${code}`)
        byTarget.set(target, list)
      }
    }
  }
  return byTarget
}

function security(oauth: FhirEndpointDeps['oauth'], { basic, tokens }: EndpointContext['schemes']) {
  return {
    cors: true,
    service: [
      ...(tokens ? [SMART_SERVICE] : []),
      ...(basic
        ? [
            {
              coding: [{ system: SECURITY_SERVICE, code: 'Basic', display: 'Basic' }],
              text: 'HTTP Basic, for users of this server',
            },
          ]
        : []),
    ],
    ...(oauth === undefined || !tokens
      ? {}
      : {
          extension: [
            {
              url: OAUTH_URIS,
              extension: [
                { url: 'token', valueUri: oauth.tokenUrl },
                ...(oauth.authorizeUrl === undefined
                  ? []
                  : [{ url: 'authorize', valueUri: oauth.authorizeUrl }]),
              ],
            },
          ],
        }),
  }
}
