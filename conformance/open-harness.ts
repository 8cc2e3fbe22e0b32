import { randomBytes, randomUUID } from 'node:crypto'
import type { CallerDetail } from '@scopegate/checks'
import {
  createFhirEndpoint,
  type FhirEndpoint,
  type FhirEndpointSettings,
} from '@scopegate/fhir-endpoint'
import { createFhirRepository, type FhirRepository } from '@scopegate/fhir-repository'
import { createNodeServer } from '@scopegate/http'
import { createLabIssuer, createLabKey } from '@scopegate/lab'
import { type AccessPolicy, compileAccess, DEFAULT_POLICY } from '@scopegate/smart-scopes'
import { testStorage } from '@scopegate/storage/testing'
import { createTokenVerifier, keysFromSet, rfc9068Issuer } from '@scopegate/token-verify'
import type { FixtureStep } from './fixture.ts'
import type { Harness, TokenWish } from './harness.ts'

/**
 * A FHIR endpoint on a free port of loopback, over a test database, trusting a lab issuer.
 * @param settings other than those that `Harness` names
 * @param callers how much callers may read of refusals
 */
export async function openHarness(
  settings: Partial<FhirEndpointSettings> = {},
  callers?: CallerDetail,
): Promise<Harness> {
  const lab = createLabIssuer({ issuer: 'https://idp.example', keys: [createLabKey('ES256')] })
  let endpoint: FhirEndpoint | undefined
  const server = createNodeServer({
    handler: (request) => endpoint?.fetch(request) ?? new Response(null, { status: 503 }),
    // The endpoint is made anew by every reset.
    faultForms: [
      {
        path: '/fhir/r4/*',
        contentType: 'application/fhir+json',
        body: (fault) => endpoint?.faultForms[0]?.body(fault) ?? '',
      },
    ],
    host: '127.0.0.1',
    port: 0,
  })
  const { port } = await server.listen()
  const baseUrl = `http://127.0.0.1:${port}/fhir/r4`
  const verifier = createTokenVerifier({
    issuers: [rfc9068Issuer(lab.issuer, keysFromSet(lab.keySet))],
    clockToleranceSeconds: 30,
    now: () => Math.floor(Date.now() / 1000),
  })
  const cursorKey = randomBytes(32)

  let dropDatabase: () => Promise<void> = async () => undefined
  async function reset(
    steps: readonly FixtureStep[],
    policy: Partial<AccessPolicy> = {},
  ): Promise<void> {
    await dropDatabase()
    const storage = await testStorage({
      after: (drop) => {
        dropDatabase = drop
      },
    })
    const backend = createFhirRepository({
      storage,
      now: Date.now,
      newId: randomUUID,
      baseUrl,
    })
    await play(backend, steps)
    endpoint = createFhirEndpoint({
      baseUrl,
      backend,
      verifier,
      issuers: [lab.issuer],
      policy: { ...DEFAULT_POLICY, baseUrls: [baseUrl], ...policy },
      cursorKey,
      audit: { record: () => undefined },
      traces: { record: () => undefined },
      settings: { updateCreate: true, ...settings },
      onError: (error) => console.error(error),
      ...(callers && { callers }),
    })
  }

  return {
    baseUrl,
    mint: async (wish) => lab.mintToken(tokenOf(wish, baseUrl)),
    mintWrong: async (how, wish) => lab.wrong[how](tokenOf(wish, baseUrl)),
    reset,
    async close() {
      await server.close()
      await dropDatabase()
    },
  }
}

function tokenOf({ audience, ...wish }: TokenWish, baseUrl: string) {
  return { ...wish, audience: audience ?? baseUrl }
}

/** Every step in one transaction of its own, so that ids and versions are those of the fixture. */
async function play(backend: FhirRepository, steps: readonly FixtureStep[]): Promise<void> {
  const { access } = compileAccess({
    issuer: 'conformance',
    subject: 'fixture',
    clientId: 'fixture',
    scope: 'system/*.cruds',
  })
  for (const step of steps) {
    const answer =
      step.kind === 'delete'
        ? await backend.delete({ type: step.type, id: step.id }, access, {})
        : await backend.update(
            { type: step.resource.resourceType, id: step.resource.id },
            { text: JSON.stringify(step.resource), resource: step.resource },
            access,
            { updateCreate: true },
          )
    if (answer.kind !== 'done')
      throw new Error(`the fixture was refused: ${JSON.stringify(answer)}`)
  }
}
