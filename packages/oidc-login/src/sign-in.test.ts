import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { LAB_USERS, type LabFault } from '@scopegate/lab'
import type { LoginReason } from '@scopegate/oidc-login'
import {
  chooseUser,
  OTHER_TENANT,
  openUpstream,
  type ProviderFlavour,
  refusalOf,
  sealer,
  signIn,
  TENANT,
} from './testing/open-upstream.ts'

describe('signing in at a provider', () => {
  const expected: Record<ProviderFlavour, object> = {
    entra: { username: 'nora@clinic.example', name: 'Nora Nurse', email: 'nora@clinic.example' },
    keycloak: { username: 'nora', name: 'Nora Nurse', email: 'nora@clinic.example' },
    google: { username: 'nora@clinic.example', name: 'Nora Nurse', email: 'nora@clinic.example' },
    okta: { username: 'nora@clinic.example', name: 'Nora Nurse', email: 'nora@clinic.example' },
    generic: { username: 'nora', name: 'Nora Nurse', email: 'nora@clinic.example' },
  }
  for (const [flavour, claims] of Object.entries(expected) as [ProviderFlavour, object][]) {
    test(`of kind ${flavour} gives issuer, subject and the claims that are mapped`, async () => {
      const upstream = openUpstream(flavour)
      const done = await signIn(upstream)
      assert.equal(done.issuer, upstream.lab.issuer)
      assert.equal(done.subject, upstream.lab.subjectOf('nora', 'scopegate'))
      assert.deepEqual(done.claims, { ...claims, roles: [] })
      assert.equal(done.returnTo, '/account')
      assert.equal(done.provider, flavour)
    })

    test(`of kind ${flavour} asks by code, PKCE, state and nonce`, async () => {
      const { logins } = openUpstream(flavour)
      const { redirectTo, state, maxAgeSeconds } = await logins.begin(flavour, { returnTo: '/x' })
      const asked = new URL(redirectTo).searchParams
      assert.equal(asked.get('response_type'), 'code')
      assert.equal(asked.get('code_challenge_method'), 'S256')
      assert.match(asked.get('code_challenge') ?? '', /^[\w-]{43}$/)
      assert.match(asked.get('state') ?? '', /^[\w-]{43}$/)
      assert.match(asked.get('nonce') ?? '', /^[\w-]{43}$/)
      assert.equal(
        asked.get('redirect_uri'),
        `https://fhir.example/oauth/login/${flavour}/callback`,
      )
      assert.ok(maxAgeSeconds <= 600)
      assert.ok(!state.includes(asked.get('nonce') ?? ''), 'the cookie is sealed')
      assert.ok(state.length < 2000, 'the cookie fits')
    })
  }

  test('takes fhirUser and roles from the claims that the configuration names', async () => {
    const claims = { fhirUser: 'Practitioner/{employeeId}', roles: 'roles' }
    const done = await signIn(openUpstream('entra', { provider: { claims } }), 'paul')
    assert.equal(done.claims.fhirUser, 'Practitioner/pract-1')
    assert.deepEqual(done.claims.roles, ['physician', 'prescriber'])
  })

  test('asks userinfo only for what the ID token lacks', async () => {
    const thin = openUpstream('okta')
    await signIn(thin)
    assert.ok(thin.requests.includes('GET /oauth2/v1/userinfo'))
    const full = openUpstream('keycloak')
    await signIn(full)
    assert.ok(!full.requests.some((request) => request.includes('userinfo')))
  })

  test('does not pass on an address that nobody verified', async () => {
    for (const flavour of ['entra', 'keycloak', 'google', 'okta', 'generic'] as const) {
      const done = await signIn(openUpstream(flavour), 'umut')
      assert.equal(done.claims.email, undefined, flavour)
      assert.match(done.remarks.join(), /`email` is left out: the provider does not say/)
    }
  })

  test('tells that Entra left the groups out', async () => {
    const groups = Array.from({ length: 201 }, (_, index) => `group-${index}`)
    const [nora] = LAB_USERS
    assert.ok(nora)
    const users = [{ ...nora, groups }]
    const provider = { claims: { roles: 'groups' } }
    const done = await signIn(openUpstream('entra', { users, provider }))
    assert.deepEqual(done.claims.roles, [])
    assert.match(done.remarks.join(), /in more groups than the token holds/)
    assert.match(done.upstreamTokenId ?? '', /^[\w-]{22}$/)
  })

  test('at Entra, lets in the listed directories of many and no other', async () => {
    const [nora, paul] = LAB_USERS
    assert.ok(nora && paul)
    const users = [
      { ...nora, organisation: TENANT },
      { ...paul, organisation: OTHER_TENANT },
    ]
    const provider = { tenant: 'organizations', tenants: [TENANT] }
    const done = await signIn(openUpstream('entra', { users, provider }))
    assert.equal(done.issuer, `https://login.microsoftonline.com/${TENANT}/v2.0`)
    const refused = await refusalOf(() =>
      signIn(openUpstream('entra', { users, provider }), 'paul'),
    )
    assert.equal(refused.reason, 'tenant_not_allowed')
    assert.equal(refused.expected, `\`tid\` \`${TENANT}\``)
    assert.equal(refused.got, `\`${OTHER_TENANT}\``)
    assert.equal(refused.status, 403)
  })

  test('at Google, lets in the accounts of the hosted domain and no other', async () => {
    const [nora, paul] = LAB_USERS
    assert.ok(nora && paul)
    const users = [{ ...nora, organisation: 'clinic.example' }, paul]
    const open = () =>
      openUpstream('google', { users, provider: { hostedDomain: 'clinic.example' } })
    const done = await signIn(open())
    assert.equal(done.claims.name, 'Nora Nurse')
    const refused = await refusalOf(() => signIn(open(), 'paul'))
    assert.equal(refused.reason, 'hosted_domain_not_allowed')
  })
})

describe('an answer that is not right is refused', () => {
  const faults: readonly [LabFault, LoginReason, RegExp?][] = [
    ['wrong_nonce', 'id_token_nonce'],
    ['no_nonce', 'id_token_nonce'],
    ['wrong_issuer', 'id_token_issuer', /expected `iss` "https:.*got `iss` "https:\/\/evil/],
    ['wrong_audience', 'id_token_audience', /expected `aud` "scopegate".*"another-client"/],
    ['unsigned', 'id_token_algorithm', /none/],
    ['hmac_with_public_key', 'id_token_algorithm', /HS256/],
    ['forged', 'id_token_signature'],
    ['unknown_key', 'id_token_key'],
    ['expired', 'id_token_times', /`exp`/],
    ['no_id_token', 'id_token_missing'],
    ['swapped_state', 'state_mismatch'],
    ['wrong_answer_issuer', 'answer_issuer_mismatch', /got `https:\/\/evil.example`/],
    ['no_answer_issuer', 'answer_issuer_missing'],
    ['denied', 'provider_said_no', /`access_denied`/],
    ['token_down', 'provider_unavailable', /status 503/],
    ['html', 'answer_malformed'],
  ]
  for (const flavour of ['generic', 'keycloak', 'entra'] as const) {
    for (const [fault, reason, message] of faults) {
      // Entra does not say `iss` in its answer.
      if (flavour === 'entra' && fault.endsWith('answer_issuer')) continue
      test(`${flavour}: ${fault} is ${reason}`, async () => {
        const refused = await refusalOf(() => signIn(openUpstream(flavour), 'nora', fault))
        assert.equal(refused.reason, reason, refused.message)
        if (message !== undefined) assert.match(refused.message, message)
        assert.equal(refused.returnTo, '/account')
        assert.equal(refused.provider, flavour)
        assert.ok(refused.fix !== '' && refused.text !== '' && refused.status >= 400)
        const made = refused.checks.filter(({ outcome }) => outcome !== 'skipped')
        assert.deepEqual(made.at(-1)?.outcome, 'fail')
        assert.ok(made.slice(0, -1).every(({ outcome }) => outcome === 'pass'))
      })
    }
  }

  test('userinfo of another subject is refused', async () => {
    const upstream = openUpstream('okta')
    const refused = await refusalOf(() => signIn(upstream, 'nora', 'other_user_info'))
    assert.equal(refused.reason, 'userinfo_refused')
  })

  test('a wrong secret is told as such, with what to do', async () => {
    const client = { secret: 'another secret, 32 characters or more' }
    const refused = await refusalOf(() => signIn(openUpstream('keycloak', { client })))
    assert.equal(refused.reason, 'client_refused')
    assert.match(refused.fix, /Credentials tab/)
    assert.equal(refused.status, 502)
  })
})

describe('asking for the password again', () => {
  const begin = async (claims: Record<string, unknown>, asked: object) => {
    const [nora] = LAB_USERS
    assert.ok(nora)
    const upstream = openUpstream('generic', { users: [{ ...nora, claims }] })
    const begun = await upstream.logins.begin('generic', { returnTo: '/', ...asked })
    const answered = await chooseUser(upstream.lab, begun.redirectTo, 'nora')
    return { begun, run: () => upstream.logins.complete('generic', answered, begun.state) }
  }
  const hourAgo = Math.floor(Date.now() / 1000) - 3600

  test('is told to the provider, and found out when it was ignored', async () => {
    const fresh = await begin({}, { prompt: 'login' })
    assert.equal(new URL(fresh.begun.redirectTo).searchParams.get('prompt'), 'login')
    assert.equal((await fresh.run()).claims.name, 'Nora Nurse')
    const stale = await begin({ auth_time: hourAgo }, { prompt: 'login' })
    assert.equal((await refusalOf(stale.run)).reason, 'sign_in_not_fresh')
    const silent = await begin({ auth_time: undefined }, { prompt: 'login' })
    await silent.run()
  })

  test('within a time is insisted on', async () => {
    const old = await begin({ auth_time: hourAgo }, { maxAgeSeconds: 600 })
    assert.equal(new URL(old.begun.redirectTo).searchParams.get('max_age'), '600')
    assert.equal((await refusalOf(old.run)).reason, 'id_token_times')
    const silent = await begin({ auth_time: undefined }, { maxAgeSeconds: 600 })
    assert.equal((await refusalOf(silent.run)).reason, 'id_token_malformed')
    assert.equal((await (await begin({}, { maxAgeSeconds: 600 })).run()).claims.name, 'Nora Nurse')
  })
})

describe('the state of a sign-in', () => {
  test('works once', async () => {
    const { logins, lab } = openUpstream('generic')
    const { redirectTo, state } = await logins.begin('generic', { returnTo: '/account' })
    const answered = await chooseUser(lab, redirectTo, 'nora')
    await logins.complete('generic', answered, state)
    const refused = await refusalOf(() => logins.complete('generic', answered, state))
    assert.equal(refused.reason, 'state_used')
  })

  test('sent twice at the same time, works for one of them', async () => {
    const { logins, lab } = openUpstream('generic')
    const { redirectTo, state } = await logins.begin('generic', { returnTo: '/account' })
    const answered = await chooseUser(lab, redirectTo, 'nora')
    const both = await Promise.allSettled(
      [1, 2, 3].map(() => logins.complete('generic', answered, state)),
    )
    assert.equal(both.filter(({ status }) => status === 'fulfilled').length, 1)
  })

  test('expires after ten minutes', async () => {
    const { logins, lab, clock } = openUpstream('generic')
    const { redirectTo, state } = await logins.begin('generic', { returnTo: '/account' })
    const answered = await chooseUser(lab, redirectTo, 'nora')
    clock.nowMs += 601_000
    const refused = await refusalOf(() => logins.complete('generic', answered, state))
    assert.equal(refused.reason, 'state_expired')
    assert.equal(refused.returnTo, '/account')
  })

  test('missing, altered, or of something else is refused', async () => {
    const { logins, lab } = openUpstream('generic')
    const { redirectTo, state } = await logins.begin('generic', { returnTo: '/account' })
    const answered = await chooseUser(lab, redirectTo, 'nora')
    const foreign = sealer.seal(JSON.stringify({ provider: 'generic' }), 'another-place')
    const altered = `${state.slice(0, -4)}${state.endsWith('AAAA') ? 'BBBB' : 'AAAA'}`
    for (const [cookie, reason] of [
      [undefined, 'state_missing'],
      ['', 'state_missing'],
      ['nonsense', 'state_unreadable'],
      [altered, 'state_unreadable'],
      [foreign, 'state_unreadable'],
    ] as const) {
      const refused = await refusalOf(() => logins.complete('generic', answered, cookie))
      assert.equal(refused.reason, reason)
    }
  })

  test('of another browser is refused: a link made by somebody else signs nobody in', async () => {
    const { logins, lab } = openUpstream('generic')
    const attacker = await logins.begin('generic', { returnTo: '/account' })
    const victim = await logins.begin('generic', { returnTo: '/account' })
    const answered = await chooseUser(lab, attacker.redirectTo, 'nora')
    const refused = await refusalOf(() => logins.complete('generic', answered, victim.state))
    assert.equal(refused.reason, 'state_mismatch')
  })

  test('with a parameter twice is refused', async () => {
    const { logins, lab } = openUpstream('generic')
    const { redirectTo, state } = await logins.begin('generic', { returnTo: '/account' })
    const answered = await chooseUser(lab, redirectTo, 'nora')
    answered.searchParams.append('state', 'another')
    const refused = await refusalOf(() => logins.complete('generic', answered, state))
    assert.equal(refused.reason, 'state_mismatch')
  })

  test('leads to paths of this server only', async () => {
    const { logins } = openUpstream('generic')
    const fine = ['/', '/account', '/oauth/interaction/abc?x=1&y=%2F%2Fevil', '/a#b', '/a//b']
    for (const returnTo of fine) await logins.begin('generic', { returnTo })
    const foreign = [
      '',
      'account',
      'https://evil.example/',
      '//evil.example',
      '/\\evil.example',
      '\\\\evil.example',
      '/\t/evil.example',
      '/\n/evil.example',
      '/.//evil.example',
      '/x/..//evil.example',
      'javascript:alert(1)',
      '/a b',
      `/${'a'.repeat(3000)}`,
    ]
    for (const returnTo of foreign) {
      const refused = await refusalOf(() => logins.begin('generic', { returnTo }))
      assert.equal(refused.reason, 'return_to_foreign', returnTo)
    }
  })
})
