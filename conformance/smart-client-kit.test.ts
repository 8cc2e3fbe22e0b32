import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { visitAuthorizeUrl } from './support/launch-app.ts'
import { openSmartServer } from './support/open-smart-server.ts'
import { createSmartApp } from './support/smart-app.ts'

// What an operator gets for an app with users, used as it is: the script of the kit, and a launch.

const server = await openSmartServer()
const person = await server.user()
const folder = mkdtempSync(join(tmpdir(), 'scopegate-kit-'))
after(async () => {
  await server.close()
  rmSync(folder, { recursive: true, force: true })
})

const REDIRECT_URI = 'http://127.0.0.1:9/callback'

interface Added {
  readonly client_id: string
  readonly client_secret?: string
  readonly token_endpoint: string
  readonly grants: readonly string[]
  readonly curl?: string
}

function addApp(more: object): Promise<Added> {
  return server.admin('POST', '/clients', {
    name: 'Kit',
    redirect_uris: [REDIRECT_URI],
    launch_url: 'http://127.0.0.1:9/launch',
    scopes: 'openid fhirUser launch launch/patient patient/Patient.rs patient/Observation.rs',
    ...more,
  })
}

/** Runs the script of the kit, and does in a browser what it asks for. */
async function runCurlKit({ client_id, client_secret }: Added): Promise<string> {
  const response = await server.adminCall('GET', `/clients/${client_id}/kit/curl`)
  const file = join(folder, `${client_id}.sh`)
  writeFileSync(file, await response.text())
  const child = spawn('sh', [file], {
    env: { PATH: process.env.PATH, ...(client_secret && { CLIENT_SECRET: client_secret }) },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  let said = ''
  let asked = false
  child.stderr.setEncoding('utf8').on('data', (text) => {
    said += text
  })
  return new Promise((done, fail) => {
    child.stdout.setEncoding('utf8').on('data', (text) => {
      said += text
      if (asked || !said.includes('Paste the value of code')) return
      asked = true
      signIn(said).then((code) => child.stdin.end(`${code}\n`), fail)
    })
    child.once('error', fail)
    child.once('close', (code) => (code === 0 ? done(said) : fail(new Error(`${code}: ${said}`))))
  })
}

async function signIn(said: string): Promise<string> {
  const url = said.split('\n').find((line) => line.startsWith(server.url)) ?? ''
  const away = await visitAuthorizeUrl(url, person, { patient: 'patient-1' })
  assert.equal(away.searchParams.get('error'), null, away.href)
  const state = new URL(url).searchParams.get('state') ?? ''
  assert.equal(away.searchParams.get('state'), state)
  assert.ok(said.includes(`check that state is ${state}`))
  return away.searchParams.get('code') ?? ''
}

describe('the script of the kit', () => {
  for (const [what, more] of [
    ['a public app', { public: true }],
    ['an app with a secret', {}],
  ] as const) {
    test(`signs a user in for ${what}, and reads`, async () => {
      const added = await addApp(more)
      assert.deepEqual(added.grants, ['authorization_code'])
      assert.equal(added.token_endpoint, server.tokenUrl)
      assert.equal(added.curl, undefined)
      const said = await runCurlKit(added)
      assert.match(said, /"access_token":"…"/)
      const bundles = said.split('\n').filter((line) => line.startsWith('{"resourceType"'))
      assert.deepEqual(
        bundles.map((line) => {
          const { resourceType, entry } = JSON.parse(line)
          return [resourceType, entry[0].resource.resourceType]
        }),
        [
          ['Bundle', 'Patient'],
          ['Bundle', 'Observation'],
        ],
      )
    })
  }
})

describe('a launch that an operator makes', () => {
  test('is bound to the client, works once, and its context comes with the token', async () => {
    const { client_id } = await addApp({ public: true })
    const [patient, encounter] = ['patient-1', 'enc-1-1']
    const made = await server.admin<{ launch: string; launch_url: string; expires_in: number }>(
      'POST',
      '/launch',
      { client_id, user: person.username, patient, encounter, need_patient_banner: false },
    )
    const url = new URL(made.launch_url)
    assert.equal(url.searchParams.get('iss'), server.fhirUrl)
    assert.equal(url.searchParams.get('launch'), made.launch)
    assert.ok(made.expires_in > 200 && made.expires_in <= 300)
    const grants = () =>
      server.admin<{ grants: { id: string; patient: string }[] }>(
        'GET',
        `/grants?user=${person.username}&client=${client_id}`,
      )
    assert.deepEqual((await grants()).grants, [])
    const app = createSmartApp({ clientId: client_id, redirectUri: REDIRECT_URI }, server)
    const wish = { scope: 'launch openid patient/Patient.rs', launch: made.launch }
    const { token } = await server.launch(app, person, wish)
    assert.deepEqual(
      [token.patient, token.encounter, token.need_patient_banner],
      [patient, encounter, false],
    )
    const [grant] = (await grants()).grants
    assert.equal(grant?.patient, patient)
    assert.equal((await server.fhir(token.access_token, `Patient/${patient}`)).status, 200)
    await server.admin('DELETE', `/grants/${grant?.id}`)
    assert.deepEqual((await grants()).grants, [])
    await assert.rejects(server.launch(app, person, wish), /launch/)
  })
})
