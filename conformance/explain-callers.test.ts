import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { after, describe, test } from 'node:test'
import { CALLER_DETAILS, type CallerDetail } from '@scopegate/checks'
import { openEchoApp } from './support/echo-app.ts'
import { openSmartServer } from './support/open-smart-server.ts'

// `explain.callers` means the same at every door: FHIR, ordinary APIs, the token endpoint, userinfo.
const echo = await openEchoApp()
const server = await openSmartServer({
  yaml: `explain: { callers: standard }
apis:
  - name: bank
    path: /bank
    upstream: ${echo.url}
    scopes: { bank.read: See your balance, bank.write: Transfer your money }
    routes:
      - { path: /balance, methods: [GET], scopes: [bank.read] }
      - { path: /transfer, methods: [POST], scopes: [bank.write] }
`,
})
after(async () => {
  await server.close()
  await echo.close()
})
const written = readFileSync(server.configFile, 'utf8')
const scopes = 'bank.read system/Observation.rs?category=laboratory'
const reader = await server.app({ as: 'secret', scopes, grants: ['client_credentials'] })
const phone = await server.app({ scopes: 'openid patient/Patient.rs launch/patient' })

interface Answer {
  readonly status: number
  readonly challenge: string
  readonly body: Readonly<Record<string, unknown>>
  /** All of it, without what differs from one moment to the next. */
  readonly steady: string
}

async function read(response: Response): Promise<Answer> {
  const text = await response.text()
  const challenge = response.headers.get('www-authenticate') ?? ''
  const id = response.headers.get('x-request-id') ?? ''
  const headers = [...response.headers].filter(
    ([name]) => !['date', 'x-request-id', 'keep-alive', 'connection'].includes(name),
  )
  const steady = `${response.status} ${JSON.stringify(headers)} ${text}`.replaceAll(id, '…')
  return { status: response.status, challenge, body: JSON.parse(text), steady }
}

async function tokenFor(scope: string, resource: string): Promise<string> {
  const { json } = await reader.clientCredentials(scope, { set: { resource } })
  assert.ok(json.access_token, JSON.stringify(json))
  return json.access_token
}

const api = async (path: string, token?: string, method = 'GET') =>
  read(
    await fetch(`${server.url}/bank${path}`, {
      method,
      headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
    }),
  )
const tokenRequest = async (form: Readonly<Record<string, string>>) =>
  read(await fetch(server.tokenUrl, { method: 'POST', body: new URLSearchParams(form) }))
const secretly = (clientId: string, secret: string, scope: string) =>
  tokenRequest({
    ...{ grant_type: 'client_credentials', client_id: clientId, client_secret: secret, scope },
    resource: server.fhirUrl,
  })

async function setLevel(callers: CallerDetail): Promise<void> {
  writeFileSync(server.configFile, written.replace('callers: standard', `callers: ${callers}`))
  await server.reload()
}

const keys = (body: object) => Object.keys(body).sort().join(' ')

for (const level of CALLER_DETAILS) {
  describe(`callers read ${level}`, { concurrency: false }, () => {
    test('at an ordinary API', async () => {
      await setLevel(level)
      const token = await tokenFor('bank.read', `${server.url}/bank`)
      const { status, body, challenge } = await api('/transfer', token, 'POST')
      assert.equal(status, 403)
      assert.equal(body.code, 'api_scope_missing')
      assert.match(challenge, /error="insufficient_scope"/)
      if (level === 'minimal') {
        assert.equal(keys(body), 'code correlationId status title type')
        assert.doesNotMatch(challenge, /bank\.write|error_description/)
        return
      }
      assert.deepEqual(body.neededScopes, ['bank.write'])
      assert.match(challenge, /scope="bank\.write"/)
      assert.ok(body.fix)
      const { checked = [] } = body as { checked?: string[] }
      assert.equal(
        checked.some((line) => line.startsWith('scopes fail (expected bank.write')),
        level === 'verbose',
      )
    })

    test('at the FHIR endpoint', async () => {
      const token = await tokenFor('system/Observation.rs?category=laboratory', server.fhirUrl)
      const { status, body } = await read(await server.fhir(token, 'Patient'))
      assert.equal(status, 403)
      const [issue] = body.issue as { details: { text: string }; diagnostics: string }[]
      assert.equal(issue?.details.text === 'type_not_granted', level === 'minimal')
      assert.equal(/to do:/.test(issue?.diagnostics ?? ''), level !== 'minimal')
      assert.equal(/checked:/.test(issue?.diagnostics ?? ''), level === 'verbose')
    })

    test('at the token endpoint, of a client that is known', async () => {
      const { status, body } = await secretly(
        reader.clientId,
        String(reader.secret),
        'system/Patient.rs',
      )
      assert.equal(status, 400)
      assert.equal(body.error, 'invalid_scope')
      const expected = {
        minimal: 'correlation_id error',
        standard: 'correlation_id error error_description',
        verbose: 'checked correlation_id error error_description',
      }
      assert.equal(keys(body), expected[level])
    })

    test('at userinfo', async () => {
      const { status, body } = await read(
        await fetch(`${server.url}/oauth/userinfo`, {
          headers: { authorization: 'Bearer e30.e30.e30' },
        }),
      )
      assert.equal(status, 401)
      assert.equal(/[ .]/.test(String(body.error_description)), level !== 'minimal')
      assert.equal('checked' in body, level === 'verbose')
    })

    test('and nothing at the token endpoint that tells a stranger which clients there are', async () => {
      const wrong = await secretly(reader.clientId, 'a wrong secret', 'system/Patient.rs')
      const none = await secretly('nobody-at-all', 'a wrong secret', 'system/Patient.rs')
      assert.equal(wrong.status, 401)
      assert.equal(wrong.steady, none.steady)
      assert.equal('checked' in wrong.body, false)
    })

    test('and nothing that is compared for a client that anybody can claim to be', async () => {
      const { status, body } = await tokenRequest({
        ...{ grant_type: 'authorization_code', client_id: phone.clientId, code: 'guessed' },
        ...{ redirect_uri: phone.redirectUri, code_verifier: 'v'.repeat(43) },
      })
      assert.equal(status, 400)
      assert.equal(body.error, 'invalid_grant')
      assert.equal('checked' in body, false)
    })

    test('and nothing at an API that tells a stranger what is there', async () => {
      const foreign = await tokenFor('system/Observation.rs?category=laboratory', server.fhirUrl)
      for (const token of [undefined, foreign, `${foreign.slice(0, -4)}AAAA`]) {
        const there = await api('/balance', token)
        assert.equal(there.status, 401)
        for (const [path, method] of [
          ['/nowhere', 'GET'],
          ['/transfer', 'GET'],
          ['/balance', 'DELETE'],
        ] as const) {
          assert.equal((await api(path, token, method)).steady, there.steady, `${method} ${path}`)
        }
      }
    })

    test('and nothing of the upstream or its state from who may not use it', async () => {
      const token = await tokenFor('bank.read', `${server.url}/bank`)
      const before = echo.requests.length
      assert.equal((await api('/transfer', token, 'POST')).status, 403)
      assert.equal(echo.requests.length, before)
      const { steady } = await api('/transfer', token, 'POST')
      assert.ok(!steady.includes(new URL(echo.url).host))
    })
  })
}
