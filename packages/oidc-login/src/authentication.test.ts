import assert from 'node:assert/strict'
import { createHash, generateKeyPairSync, type KeyObject, X509Certificate } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { inspect } from 'node:util'
import { ensureLocalCertificate } from '@scopegate/http'
import { LAB_FAULTS, type LabFault } from '@scopegate/lab'
import { openUpstream, refusalOf, SECRET, signIn } from './testing/open-upstream.ts'

const pairs = {
  RSA: () => generateKeyPairSync('rsa', { modulusLength: 2048 }),
  'P-256': () => generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  'P-384': () => generateKeyPairSync('ec', { namedCurve: 'P-384' }),
  Ed25519: () => generateKeyPairSync('ed25519'),
} satisfies Record<string, () => { privateKey: KeyObject; publicKey: KeyObject }>

function withKey(privateKey: KeyObject, publicKey: KeyObject, form: 'pem' | 'jwk') {
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  const jwk = JSON.stringify(privateKey.export({ format: 'jwk' }))
  return {
    client: { secret: undefined, keys: [publicKey.export({ format: 'jwk' })] },
    provider: {
      authentication: {
        method: 'private_key_jwt',
        privateKey: form === 'pem' ? pem : jwk,
        keyId: 'k1',
      },
    },
  } as const
}

describe('this server proves to the provider who it is', () => {
  for (const [kind, generate] of Object.entries(pairs)) {
    test(`by an assertion signed with ${kind}, as PEM and as JWK`, async () => {
      const { privateKey, publicKey } = generate()
      for (const form of ['pem', 'jwk'] as const) {
        const done = await signIn(openUpstream('generic', withKey(privateKey, publicKey, form)))
        assert.equal(done.claims.name, 'Nora Nurse')
      }
    })
  }

  test('at Entra by the thumbprint of its certificate, to the token endpoint', async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'oidc-login-'))
    t.after(() => rmSync(folder, { recursive: true }))
    const nowMs = Date.now()
    const made = await ensureLocalCertificate({ dir: folder, names: ['fhir.example'], nowMs })
    const { cert, key } = made
    const certificate = new X509Certificate(cert)
    const assertions: string[] = []
    const upstream = openUpstream('entra', {
      client: { secret: undefined, keys: [certificate.publicKey.export({ format: 'jwk' })] },
      provider: {
        authentication: { method: 'private_key_jwt', privateKey: key, certificate: cert },
      },
      deps: {
        fetch: async (url, init) => {
          const assertion = new URLSearchParams(String(init.body ?? '')).get('client_assertion')
          if (assertion !== null) assertions.push(assertion)
          return upstream.lab.fetch(new Request(url, init))
        },
      },
    })
    await signIn(upstream)
    const [header, payload] = (assertions[0] ?? '')
      .split('.')
      .slice(0, 2)
      .map((part) => JSON.parse(Buffer.from(part, 'base64url').toString()))
    const thumbprint = createHash('sha256').update(certificate.raw).digest('base64url')
    assert.equal(header['x5t#S256'], thumbprint)
    assert.match(payload.aud, /^https:\/\/login\.microsoftonline\.com\/.*\/oauth2\/v2\.0\/token$/)
    assert.ok(payload.exp - payload.iat <= 300 && payload.jti)

    const other = pairs['P-256']().privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
    const authentication = {
      method: 'private_key_jwt',
      privateKey: other,
      certificate: cert,
    } as const
    assert.throws(
      () => openUpstream('entra', { provider: { authentication } }),
      /belongs to another key than its private key/,
    )
  })

  test('and is refused with another key', async () => {
    const [own, other] = [pairs['P-256'](), pairs['P-256']()]
    const upstream = openUpstream('generic', withKey(own.privateKey, other.publicKey, 'pem'))
    assert.equal((await refusalOf(() => signIn(upstream))).reason, 'client_refused')
  })

  test('by a secret in the form, or by HTTP Basic where the metadata does not list the form', async () => {
    const ways: (string | null)[] = []
    for (const listed of [
      ['client_secret_post', 'client_secret_basic'],
      ['client_secret_basic'],
      undefined,
    ]) {
      const upstream = openUpstream('generic')
      const { lab } = upstream
      const wrapped = openUpstream('generic', {
        deps: {
          fetch: async (url, init) => {
            if (init.method === 'POST')
              ways.push(new Headers(init.headers).get('authorization')?.split(' ')[0] ?? null)
            const response = await lab.fetch(new Request(url, init))
            if (!url.includes('.well-known')) return response
            const metadata = (await response.json()) as object
            return Response.json({ ...metadata, token_endpoint_auth_methods_supported: listed })
          },
        },
      })
      await signIn({ ...wrapped, lab })
    }
    assert.deepEqual(ways, [null, 'Basic', 'Basic'])
  })
})

test('no refusal holds a token, a code, the secret, or the claims of a person', async () => {
  for (const fault of Object.keys(LAB_FAULTS) as LabFault[]) {
    const seen: string[] = [SECRET, 'nora@clinic.example', 'Nora Nurse']
    const upstream = openUpstream('okta', {
      deps: {
        fetch: async (url, init) => {
          const sent = new URLSearchParams(String(init.body ?? ''))
          for (const name of ['code', 'code_verifier']) seen.push(sent.get(name) ?? SECRET)
          const response = await upstream.lab.fetch(new Request(url, init))
          const text = await response.clone().text()
          for (const [, token = ''] of text.matchAll(/"(?:id|access)_token":"([^"]+)"/g)) {
            seen.push(token, ...token.split('.').filter((part) => part.length > 20))
          }
          return response
        },
      },
    })
    const refused = await signIn(upstream, 'nora', fault).then(
      () => undefined,
      (error: unknown) => error,
    )
    if (refused === undefined) continue
    const shown = inspect(refused, { depth: 12, showHidden: true })
    for (const secret of seen) assert.ok(!shown.includes(secret), `${fault}: ${shown}`)
  }
})
