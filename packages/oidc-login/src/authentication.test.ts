import assert from 'node:assert/strict'
import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { describe, test } from 'node:test'
import { inspect } from 'node:util'
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
