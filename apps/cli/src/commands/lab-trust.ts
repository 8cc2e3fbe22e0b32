import { AUTH0_NAMESPACE, LAB_TENANT } from '@scopegate/lab'
import type { IssuerFlavour } from './lab-flavour.ts'

/** What the configuration has to say so that a lab is trusted. */
export interface LabTrust {
  readonly flavour: IssuerFlavour
  readonly issuer: string
  readonly audiences: readonly string[]
  /** Names that tokens of this lab carry in place of SMART scopes. */
  readonly names: readonly string[]
  /** Where nothing runs that has a discovery document. */
  readonly keysFile?: string
}

/** The lines for scopegate.yaml. */
export function labTrustYaml({ flavour, issuer, audiences, names, keysFile }: LabTrust): string {
  const map = names.flatMap((name) => {
    const scope = scopeOf(name)
    return scope === undefined ? [] : [`${JSON.stringify(name)}: ${JSON.stringify(scope)}`]
  })
  const lines = [
    `issuer: ${issuer}`,
    ...(flavour.startsWith('entra') ? [`tenant: ${LAB_TENANT}`] : []),
    ...(keysFile === undefined ? [] : [`keysFile: ${keysFile}`]),
    ...(flavour === 'google'
      ? [`introspection: { url: ${new URL('/tokeninfo', issuer).href} }`]
      : []),
    ...(flavour === 'auth0' ? [`claims: { fhirUser: ${AUTH0_NAMESPACE}fhirUser }`] : []),
    ...(flavour === 'keycloak' && map.length > 0 ? ['claims: { roles: /realm_access/roles }'] : []),
    ...(map.length === 0 ? [] : [`scopes: { map: { ${map.join(', ')} } }`]),
  ]
  return `issuers:
  - name: lab
    preset: ${flavour}
${lines.map((line) => `    ${line}`).join('\n')}
fhir:
  r4:
    trust: [self, lab]
    audiences: [${audiences.map((each) => JSON.stringify(each)).join(', ')}]`
}

/** What a name that is no SMART scope would mean: `Observation.rs`, `FHIR.Observation.Read`. */
function scopeOf(name: string): string | undefined {
  if (/^[A-Z][A-Za-z]*\.[a-z]+$/.test(name)) return `user/${name}`
  const [, type, what] = /^FHIR\.([A-Za-z]+)\.(Read|Write)$/.exec(name) ?? []
  if (type === undefined) return undefined
  return `system/${type === 'All' ? '*' : type}.${what === 'Read' ? 'rs' : 'cud'}`
}
