import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import {
  createLabKey,
  type LabAnswerFault,
  type LabTokenRequest,
  serveLabTokenServer,
} from '@scopegate/lab'
import { LAB_SECRET, labConnection, openBrokerServer } from './support/open-broker-server.ts'

// Walk-through 10 (liberal in what is taken, strict where safety matters), scenarios 16 and 19 to 23.

/** What a token endpoint may say, and what comes of it: a token with a warning, or the failure. */
const ODD: readonly (readonly [LabAnswerFault, string | undefined | RegExp])[] = [
  ['no_token_type', 'token_type_missing'],
  ['bearer_token_type', 'token_type_unusual'],
  ['upper_case_token_type', undefined],
  ['null_refresh_token', undefined],
  ['scope_list', 'scope_as_list'],
  ['no_scope', undefined],
  ['no_expires_in', 'expires_in_missing'],
  ['expires_in_text', 'expires_in_text'],
  ['expires_in_zero', 'expires_in_unusable'],
  ['expires_in_ten_years', 'expires_in_very_long'],
  ['unknown_members', undefined],
  ['text_plain', 'content_type_unusual'],
  ['fewer_scopes', 'scope_missing'],
  ['more_scopes', undefined],
  ['mac_token_type', /^token_type_unsupported$/],
  ['no_access_token', /^access_token_missing$/],
  ['number_access_token', /^access_token_missing$/],
  ['spaced_access_token', /^(access_token_missing|malformed_token_response)$/],
  ['cut_off', /^malformed_token_response$/],
  ['empty', /^malformed_token_response$/],
  ['list', /^malformed_token_response$/],
  ['html_with_200', /^malformed_token_response$/],
  ['huge', /^malformed_token_response$/],
  ['error_with_200', /^oauth_invalid_client$/],
  ['html_502', /./],
  ['redirect_302', /^redirected$/],
  ['basic_challenge', /^oauth_invalid_client$/],
  ['null_description', /^oauth_invalid_client$/],
]
const nameOf = (fault: string) => fault.replaceAll('_', '-')
const KEYS = [createLabKey('ES256')]
const RSA = [createLabKey('RS256')]
const ODD_SECRET = 'p%2Fq+r/s ä'

const odd = new Map(
  await Promise.all(
    ODD.map(async ([fault]) => {
      const lab = await serveLabTokenServer({ keys: KEYS })
      lab.answerFaults.add(fault)
      return [fault, lab] as const
    }),
  ),
)
const keycloak = await serveLabTokenServer({
  flavour: 'keycloak',
  publicUrl: 'https://sso.public.example',
  keys: RSA,
})
const okta = await serveLabTokenServer({ flavour: 'okta', keys: RSA })
const entra = await serveLabTokenServer({ flavour: 'entra-v2', keys: RSA })
const strict = await serveLabTokenServer({
  keys: KEYS,
  clients: [
    { clientId: 'old-only', secret: 'the secret that still works', redirectUris: [] },
    { clientId: 'raw', secret: ODD_SECRET, redirectUris: [], rawBasic: true },
  ],
})

const at = (lab: { tokenEndpoint: string }) => `tokenEndpoint: ${lab.tokenEndpoint}`
const by = (method: string, secret = 'LAB_SECRET') =>
  `authentication: { method: ${method}, secrets: [env:${secret}] }`

const { lab, out, status, token, close } = await openBrokerServer({
  resource: {
    tokens: {
      readAccessToken: (token) =>
        [...odd.values(), okta, entra, strict]
          .map((each) => each.readAccessToken(token))
          .find((found) => found !== undefined),
    },
  },
  environment: { LAB_SECRET, OLD_SECRET: 'the secret that still works', ODD_SECRET },
  connections(lab, resource) {
    const one = (name: string, ...more: readonly string[]) =>
      labConnection(lab, more.some((line) => line.startsWith('upstream')) ? undefined : resource, {
        name,
        more: [
          ...(more.some((line) => line.startsWith('clientId')) ? [] : [`clientId: ${name}`]),
          ...more,
        ],
      })
    const userinfo = `upstream: ${keycloak.url}/realms/lab/protocol/openid-connect`
    return [
      ...[...odd].map(([fault, lab]) => one(nameOf(fault), at(lab), 'scopes: [a, b]')),
      ...['accept', 'warn', 'require-subset', 'exact'].flatMap((policy) => [
        one(
          `few-${policy}`,
          at(odd.get('fewer_scopes')!),
          'scopes: [a, b]',
          `scopePolicy: ${policy}`,
        ),
        one(
          `many-${policy}`,
          at(odd.get('more_scopes')!),
          'scopes: [a, b]',
          `scopePolicy: ${policy}`,
        ),
      ]),
      one('kc-openid', at(keycloak), userinfo, 'preset: keycloak', 'scopes: [openid]'),
      one('kc-bare', at(keycloak), userinfo, 'preset: keycloak', 'scopes: [roles]'),
      one('okta', at(okta), 'preset: okta', 'dpop: false', 'scopes: [openid, fhir.read]'),
      one(
        'entra',
        at(entra),
        'preset: entra',
        'scopes: ["api://fhir/.default"]',
        by('client_secret_post'),
      ),
      one('epic', at(odd.get('null_description')!), 'preset: epic', by('client_secret_basic')),
      one('challenged', at(odd.get('basic_challenge')!)),
      one(
        'two-secrets',
        at(strict),
        'clientId: old-only',
        'authentication: { secrets: [env:LAB_SECRET, env:OLD_SECRET] }',
      ),
      one('raw', at(strict), by('client_secret_basic_raw', 'ODD_SECRET')),
      one('encoded', at(strict), 'clientId: raw', by('client_secret_basic', 'ODD_SECRET')),
      one('probing', at(strict), 'clientId: raw', by('client_secret_auto')),
    ].join('\n')
  },
})
after(async () => {
  await close()
  await Promise.all([...odd.values(), keycloak, okta, entra, strict].map((each) => each.close()))
})

const secretOf = ({ headers }: LabTokenRequest) =>
  Buffer.from(headers.authorization?.replace(/^Basic /, '') ?? '', 'base64')
    .toString()
    .split(':')[1]

describe('10.1 and 19: Keycloak with openid, behind another host', { concurrency: true }, () => {
  test('the ID token that comes along is left aside with a warning, and userinfo answers', async () => {
    const answer = await out('kc-openid/userinfo')
    assert.equal(answer.status, 200)
    const { warnings, scopes, state } = await status('kc-openid')
    assert.deepEqual([state, warnings.includes('unexpected_id_token_ignored')], ['fresh', true])
    assert.ok(scopes?.includes('openid'))
  })

  test('10.5: without openid userinfo refuses, and the refusal says what to add', async () => {
    const answer = await out('kc-bare/userinfo')
    assert.equal(answer.status, 403)
    assert.match(answer.headers.get('scopegate-diagnosis') ?? '', /openid/)
    assert.deepEqual((await status('kc-bare')).warnings, [])
  })
})

describe('10.2: a scope policy', { concurrency: true }, () => {
  const outcomes = {
    accept: [200, 200],
    warn: [200, 200],
    'require-subset': [502, 200],
    exact: [502, 502],
  } as const
  for (const [policy, [few, many]] of Object.entries(outcomes)) {
    test(`\`${policy}\` decides about fewer and about more scopes`, async () => {
      const [fewer, more] = await Promise.all([token(`few-${policy}`), token(`many-${policy}`)])
      assert.deepEqual([fewer.status, more.status], [few, many])
      if (few === 200) {
        assert.equal(fewer.json.warnings.includes('scope_missing'), policy === 'warn')
      } else {
        assert.equal(fewer.json.failure.code, 'scope_policy')
      }
    })
  }

  test('tells both lists when it refuses', async () => {
    const { json } = await token('many-exact')
    assert.match(json.failure.cause, /`?a b extra`?/)
    assert.match(json.failure.cause, /`?a b`?(?! extra)/)
  })
})

describe('10.3 and 21: an odd answer', { concurrency: 8 }, () => {
  for (const [fault, expected] of ODD) {
    const what = expected instanceof RegExp ? 'is no token, and says why' : 'is a token'
    test(`\`${fault}\` ${what}`, async () => {
      const name = nameOf(fault)
      const answer = await out(`${name}/Patient/1`)
      const { state, warnings, lastFailure } = await status(name)
      if (!(expected instanceof RegExp)) {
        assert.equal(answer.status, 200)
        assert.notEqual(state, 'expired')
        if (expected !== undefined) assert.ok(warnings.includes(expected), warnings.join())
        return
      }
      assert.ok(answer.status === 502 || answer.status === 503, `${answer.status}`)
      assert.match(answer.headers.get('content-type') ?? '', /^application\/problem\+json/)
      assert.match(lastFailure?.code ?? '', expected)
      assert.ok(lastFailure?.cause && lastFailure.fix)
      const told = `${await answer.text()} ${JSON.stringify(lastFailure)}`
      assert.ok(!told.includes('X-Evil'), 'what would break a header stays away')
      assert.ok(!told.includes('"abcdef"'), 'nothing that may be a token is shown')
    })
  }

  test('of an HTML page the beginning is shown, without markup', async () => {
    await out('html-with-200/Patient/1')
    const { lastFailure } = await status('html-with-200')
    assert.match(lastFailure?.provider?.excerpt ?? '', /proxy could not reach the server/)
    assert.doesNotMatch(lastFailure?.provider?.excerpt ?? '', /</)
  })
})

test('10.4: Okta is not asked for openid, and Keycloak is', async () => {
  const { json } = await token('okta')
  assert.equal(okta.requests[0]?.form.scope, 'fhir.read')
  assert.ok(json.warnings.includes('scope_not_sent'), JSON.stringify(json))
})

test('16: of two secrets the second is used where the first is refused, which then rests', async () => {
  strict.forget()
  for (let round = 0; round < 3; round++) {
    const { status, json } = await token('two-secrets', `?scope=system/Patient.rs&subject=`)
    assert.equal(status, 200, JSON.stringify(json))
    assert.ok(json.warnings.includes('credential_fallback') || round > 0)
    strict.revokeAccessTokens()
    await out('two-secrets/Patient/1')
  }
  const secrets = strict.requests.filter(({ headers }) => headers.authorization).map(secretOf)
  const first = encodeURIComponent(LAB_SECRET)
  const tried = secrets.filter((secret) =>
    decodeURIComponent(secret ?? '').startsWith('the-secret-of'),
  )
  assert.equal(tried.length, 1, `${first}: not again within the hour`)
  assert.ok(secrets.length >= 3)
})

test('20: of a 401 with a challenge for Basic the words of the provider are shown', async () => {
  const { json } = await token('challenged')
  assert.equal(json.failure.provider.description, 'Client secret has expired.')
  assert.equal(json.failure.code, 'oauth_invalid_client')
  assert.equal(json.failure.provider.status, 401)
})

describe('22: a server that does not decode HTTP Basic', () => {
  test('takes the raw form, and an encoded one is explained', async () => {
    assert.equal((await token('raw')).status, 200)
    const { json } = await token('encoded')
    assert.equal(json.failure.code, 'oauth_secret_encoding')
    assert.match(json.failure.fix, /client_secret_basic_raw/)
  })

  test('is probed only where that was asked for, and with two requests at most', async () => {
    strict.forget()
    assert.equal((await token('probing')).status, 502)
    assert.equal(strict.requests.length, 2)
  })
})

describe('23: refusals in the manner of', () => {
  test('Epic, which tells no cause', async () => {
    const { json } = await token('epic')
    assert.equal(json.failure.code, 'epic_invalid_client')
    assert.match(json.failure.fix, /client id of this environment/)
  })

  test('Entra, by number, with what support asks for', async () => {
    entra.problems.add('secret_expired')
    const { json } = await token('entra')
    assert.match(json.failure.code, /^entra_/)
    assert.deepEqual(json.failure.provider.codes, [7000222])
    assert.ok(json.failure.provider.traceId && json.failure.provider.correlationId)
    assert.match(json.failure.fix, /secret/)
  })
})

test('no answer and no status ever held a secret or a token', async () => {
  assert.ok(lab)
  for (const [fault] of ODD) {
    const told = JSON.stringify(await status(nameOf(fault)))
    assert.ok(!told.includes(LAB_SECRET))
    assert.ok(!/eyJ[A-Za-z0-9_-]{10}/.test(told))
  }
})
