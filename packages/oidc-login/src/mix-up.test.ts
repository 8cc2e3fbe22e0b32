import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createLabOpenIdProvider, type LabFlavourName } from '@scopegate/lab'
import { createUpstreamLogins } from '@scopegate/oidc-login'
import { chooseUser, refusalOf, SECRET, sealer } from './testing/open-upstream.ts'

/** Two providers, `honest` and `evil`, whose answers may come back at one address. */
function openTwo(flavour: LabFlavourName, callbackUrl: (name: string) => string) {
  const labs = (['honest', 'evil'] as const).map((name) =>
    createLabOpenIdProvider({ flavour, issuer: `https://${name}.example` }),
  )
  const [honest, evil] = labs
  assert.ok(honest && evil)
  const tokenRequests: string[] = []
  const logins = createUpstreamLogins({
    providers: ['honest', 'evil'].map((name) => ({
      name,
      preset: 'generic',
      issuer: `https://${name}.example`,
      clientId: 'scopegate',
      authentication: { method: 'secret', secret: SECRET },
    })),
    sealer,
    callbackUrl,
    nowMs: Date.now,
    fetch: async (url, init) => {
      if (init.method === 'POST') tokenRequests.push(url)
      const lab = labs.find(({ issuer }) => url.startsWith(issuer))
      return lab?.fetch(new Request(url, init)) ?? new Response(null, { status: 404 })
    },
  })
  return { logins, honest, tokenRequests }
}

/** The evil provider sends the browser on to the honest one, which then answers here. */
async function mixUp({ logins, honest }: ReturnType<typeof openTwo>) {
  const { redirectTo, state } = await logins.begin('evil', { returnTo: '/account' })
  const forwarded = new URL(redirectTo)
  forwarded.hostname = 'honest.example'
  return { answered: await chooseUser(honest, forwarded.href, 'nora'), state }
}

describe('a mix-up of two providers', () => {
  const shared = () => 'https://fhir.example/oauth/login/callback'
  const own = (name: string) => `https://fhir.example/oauth/login/${name}/callback`

  test('at one callback address is refused by `iss`, and the code goes nowhere', async () => {
    const two = openTwo('generic', shared)
    const { answered, state } = await mixUp(two)
    const refused = await refusalOf(() => two.logins.complete('evil', answered, state))
    assert.equal(refused.reason, 'answer_issuer_mismatch')
    assert.equal(refused.expected, '`iss` `https://evil.example`')
    assert.equal(refused.got, '`https://honest.example`')
    assert.deepEqual(two.tokenRequests, [])
  })

  test('at one callback address, of providers that do not say `iss`, is refused too', async () => {
    const two = openTwo('okta', shared)
    const { answered, state } = await mixUp(two)
    assert.equal(answered.searchParams.get('iss'), null)
    const refused = await refusalOf(() => two.logins.complete('evil', answered, state))
    assert.equal(refused.reason, 'answer_issuer_missing')
    assert.deepEqual(two.tokenRequests, [])
  })

  test('at addresses of their own is refused by the address', async () => {
    const two = openTwo('okta', own)
    const { answered, state } = await mixUp(two)
    const refused = await refusalOf(() => two.logins.complete('honest', answered, state))
    assert.equal(refused.reason, 'state_of_other_provider')
    assert.match(
      refused.message,
      /expected an answer of `evil`, got one at the address of `honest`/,
    )
    assert.deepEqual(two.tokenRequests, [])
  })
})
