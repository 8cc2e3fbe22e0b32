import assert from 'node:assert/strict'
import { createPublicKey, X509Certificate } from 'node:crypto'
import { after, describe, test } from 'node:test'
import { ConfidentialClientApplication } from '@azure/msal-node'
import { createKeySigner, type KeySigner, readKeyMaterial } from '@scopegate/keys'
import { createLabOpenIdProvider, type LabClient, type LabFlavourName } from '@scopegate/lab'
import {
  type ConnectionCredentials,
  chooseAlgorithm,
  compileConnection,
  createTokenRequester,
  type FetchedToken,
  type TokenOutcome,
  type WrittenConnection,
} from '@scopegate/token-broker'
import { decodeJwt } from 'jose'
import { Agent, fetch as fetchWith } from 'undici'
import { makeClientCertificate } from './support/client-certificate.ts'
import { type HttpsServer, serveHttps } from './support/serve-https.ts'

// The presets as they are written for the cloud, with only the host replaced by that of the lab.
const TENANT = '11111111-2222-4333-8444-555555555555'
const CLIENT_ID = '77777777-2222-4333-8444-555555555555'
const SECRET = 'Abc8Q~the.secret-of_this+test/1'
const API = 'api://fhir'

const pair = await makeClientCertificate('lab-app')
const material = readKeyMaterial({
  text: pair.privateKey,
  certificate: pair.certificate,
  name: 'key of the app',
})
const jwk = createPublicKey(pair.privateKey).export({ format: 'jwk' })

const open: HttpsServer[] = []
after(() => Promise.all(open.map((each) => each.close())))

async function lab(flavour: LabFlavourName, issuerPath: string, client: Partial<LabClient>) {
  const clients = [{ clientId: CLIENT_ID, redirectUris: [], ...client }]
  const server = await serveHttps((origin) => {
    const issuer = `${origin}${issuerPath}`
    const provider = createLabOpenIdProvider({ flavour, issuer, clients })
    return (request) => provider.fetch(request)
  })
  open.push(server)
  return server
}

function ask(
  written: Omit<WrittenConnection, 'name' | 'clientId'> & { readonly clientId?: string },
  credentials: ConnectionCredentials,
): Promise<TokenOutcome> {
  const connection = compileConnection(
    { name: 'lab', clientId: CLIENT_ID, ...written },
    credentials,
  )
  const { scopes, audience, subject } = connection
  return createTokenRequester({ nowMs: Date.now }).request(
    { connection, scopes, audience, subject },
    { signal: AbortSignal.timeout(60_000) },
  )
}

/** As the configuration makes it. */
function signerFor(written: Omit<WrittenConnection, 'name' | 'clientId'>) {
  const alg = chooseAlgorithm({ name: 'lab', clientId: CLIENT_ID, ...written }, material.algorithms)
  const signer: KeySigner = createKeySigner(material, { ...(alg && { alg }), kid: 'key-1' })
  return async () => signer
}

function tokenOf(outcome: TokenOutcome): FetchedToken {
  assert.equal(outcome.kind, 'token', JSON.stringify(outcome))
  return (outcome as Extract<TokenOutcome, { kind: 'token' }>).token
}

function failureOf(outcome: TokenOutcome) {
  assert.equal(outcome.kind, 'failed')
  return (outcome as Extract<TokenOutcome, { kind: 'failed' }>).failure
}

/** Claims that differ from token to token. */
function lasting(accessToken: string) {
  const { iat, nbf, exp, uti, aio, rh, ...rest } = decodeJwt(accessToken)
  return { ...rest, lifetime: (exp ?? 0) - (iat ?? 0) }
}

describe('Microsoft Entra ID', () => {
  const entra = { preset: 'entra', tenant: TENANT, scopes: [`${API}/.default`] } as const

  test('tokens that @azure/msal-node gets, by secret and by certificate, agree with ours', async () => {
    const server = await lab('entra', `/${TENANT}/v2.0`, {
      secret: SECRET,
      certificates: [pair.certificate],
      roles: ['Patient.Read.All'],
    })
    const { host, ca } = server
    const dispatcher = new Agent({ connect: { ca } })
    const send = async (url: string, options?: { headers?: object; body?: string }) => {
      const response = await fetchWith(url, {
        dispatcher,
        method: options?.body === undefined ? 'GET' : 'POST',
        headers: { ...options?.headers },
        ...(options?.body !== undefined && { body: options.body }),
      })
      return {
        headers: Object.fromEntries(response.headers),
        body: await response.json(),
        status: response.status,
      } as never
    }
    const thumbprintSha256 = new X509Certificate(pair.certificate).fingerprint256.replaceAll(
      ':',
      '',
    )
    const proofs = [
      [{ clientSecret: SECRET }, { secrets: () => [SECRET] }],
      [
        { clientCertificate: { thumbprintSha256, privateKey: pair.privateKey } },
        { signer: signerFor(entra) },
      ],
    ] as const
    for (const [theirs, ours] of proofs) {
      const client = new ConfidentialClientApplication({
        auth: {
          clientId: CLIENT_ID,
          authority: `https://${host}/${TENANT}`,
          knownAuthorities: [host],
          ...theirs,
        },
        system: { networkClient: { sendGetRequestAsync: send, sendPostRequestAsync: send } },
      } as never)
      const msal = await client.acquireTokenByClientCredential({ scopes: [`${API}/.default`] })
      const token = tokenOf(await ask({ ...entra, cloud: host }, { ca, ...ours }))
      assert.ok(msal?.accessToken)
      assert.deepEqual(lasting(token.accessToken), lasting(msal.accessToken))
      assert.deepEqual(decodeJwt(token.accessToken).roles, ['Patient.Read.All'])
      assert.deepEqual(token.warnings, [])
    }
    await dispatcher.close()
  })

  test('its refusals keep their numbers, and lead to what helps', async () => {
    const { host, ca } = await lab('entra', `/${TENANT}/v2.0`, { secret: SECRET })
    const wrong = failureOf(await ask({ ...entra, cloud: host }, { ca, secrets: () => [TENANT] }))
    assert.equal(wrong.provider?.error, 'invalid_client')
    assert.deepEqual(wrong.provider?.codes, [7000215])
    assert.match(wrong.provider?.description ?? '', /AADSTS7000215/)
    assert.ok(wrong.provider?.traceId && wrong.provider.correlationId && wrong.provider.timestamp)
    assert.match(wrong.code, /^entra_/)
    const unknown = failureOf(
      await ask(
        { ...entra, cloud: host, clientId: '99999999-2222-4333-8444-555555555555' },
        { ca, secrets: () => [SECRET] },
      ),
    )
    assert.ok(unknown.provider?.codes?.includes(700016), JSON.stringify(unknown))
  })
})

describe('Other kinds of provider', () => {
  test('Keycloak: `openid` with client credentials brings an ID token that does no harm', async () => {
    const { origin, ca } = await lab('keycloak', '/realms/clinic', { secret: SECRET, keys: [jwk] })
    const keycloak = {
      preset: 'keycloak',
      url: origin,
      realm: 'clinic',
      scopes: ['openid'],
    } as const
    const token = tokenOf(await ask(keycloak, { ca, secrets: () => [SECRET] }))
    assert.ok(token.warnings.includes('unexpected_id_token_ignored'))
    assert.ok(token.scopes.includes('openid'))
    // One audience, the issuer.
    tokenOf(await ask(keycloak, { ca, signer: signerFor(keycloak) }))
    const refused = failureOf(await ask(keycloak, { ca, secrets: () => ['wrong'] }))
    assert.match(refused.code, /^keycloak_/)
  })

  test('Okta: a proof is sent before it is asked for, and `openid` is not', async () => {
    const { host, ca } = await lab('okta', '/oauth2/default', { keys: [jwk], dpop: true })
    const okta = {
      preset: 'okta',
      domain: host,
      authorizationServer: 'default',
      scopes: ['openid', 'fhir.read'],
    } as const
    const token = tokenOf(await ask(okta, { ca, signer: signerFor(okta) }))
    assert.ok(token.warnings.includes('scope_not_sent'))
    assert.deepEqual(token.scopes, ['fhir.read'])
    const without = failureOf(await ask({ ...okta, dpop: false }, { ca, signer: signerFor(okta) }))
    assert.equal(without.provider?.error, 'invalid_dpop_proof')
    assert.match(without.code, /^okta_/)
  })

  test('Auth0: the token is for the API that is named', async () => {
    const { host, ca } = await lab('auth0', '/', { secret: SECRET })
    const auth0 = { preset: 'auth0', domain: host, audience: 'https://fhir.example' } as const
    const { accessToken } = tokenOf(await ask(auth0, { ca, secrets: () => [SECRET] }))
    assert.equal(decodeJwt(accessToken).aud, 'https://fhir.example')
  })

  test('Google: a service account, for itself and for a user', async () => {
    const account = 'robot@project.iam.example'
    const jwtBearer = 'urn:ietf:params:oauth:grant-type:jwt-bearer'
    const { origin, ca } = await lab('google', '', {
      clientId: account,
      keys: [jwk],
      grants: [jwtBearer],
    })
    const google = {
      preset: 'google',
      clientId: account,
      tokenEndpoint: `${origin}/token`,
      scopes: ['https://mail.google.com/'],
    } as const
    const token = tokenOf(await ask(google, { ca, signer: signerFor(google) }))
    assert.match(token.accessToken, /^ya29\./)
    const subject = 'nurse@clinic.example'
    tokenOf(await ask({ ...google, subject }, { ca, signer: signerFor(google) }))
  })
})
