import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import { after, describe, test } from 'node:test'
import { LAB_TOKEN_FAULTS, serveLabOpenIdProvider } from '@scopegate/lab'
import { createProgram } from '../apps/cli/src/program.ts'
import { openGuardedServer } from './support/open-guarded-server.ts'

// What `scopegate lab token` prints is enough: the token opens, with the lines for the configuration
// that came with it, and no wrong one does.
const folder = mkdtempSync(join(tmpdir(), 'scopegate-lab-'))
const google = await serveLabOpenIdProvider({ flavour: 'google' })
after(async () => {
  rmSync(folder, { recursive: true })
  await google.close()
})

interface Minted {
  readonly access_token: string
  readonly config: string
}

async function labToken(...args: readonly string[]): Promise<Minted> {
  const stdout = new PassThrough()
  const stderr = new PassThrough()
  const context = { environment: {}, cwd: folder, stdin: process.stdin, stdout, stderr }
  await createProgram(context).parseAsync(['lab', 'token', '--json', ...args], { from: 'user' })
  stdout.end()
  return JSON.parse(await text(stdout))
}

const APPS: Readonly<Record<string, readonly string[]>> = {
  'entra-v2': ['--flavour', 'entra-v2', '--role', 'FHIR.Observation.Read'],
  'entra-v1': ['--flavour', 'entra-v1', '--role', 'FHIR.Observation.Read'],
  okta: ['--flavour', 'okta', '--scope', 'system/Observation.rs'],
  keycloak: ['--flavour', 'keycloak', '--role', 'FHIR.Observation.Read'],
  auth0: ['--flavour', 'auth0', '--scope', 'system/Observation.rs'],
  generic: ['--flavour', 'generic', '--scope', 'system/Observation.rs'],
}
const flavours = Object.keys(APPS)
const keysOf = (flavour: string) => ['--public-keys', join(folder, `${flavour}.json`)]
const rights = new Map<string, Minted>()
for (const flavour of flavours) {
  rights.set(flavour, await labToken(...(APPS[flavour] ?? []), ...keysOf(flavour)))
}
rights.set('google', await labToken('--at', google.url, '--user', 'nora', '--scope', 'openid'))

/** The lines of all labs, as somebody would put them into one file. */
function together(): string {
  const issuers: string[] = []
  const audiences: string[] = []
  for (const [flavour, { config }] of rights) {
    const [, issuer = '', list = ''] =
      /^issuers:\n([\s\S]*)\nfhir:\n[\s\S]*audiences: \[(.*)\]$/.exec(config) ?? []
    issuers.push(issuer.replace('name: lab', `name: ${flavour}`))
    audiences.push(list)
  }
  return `limits: { authenticationFailuresPerMinute: 1000 }
issuers:
${issuers.join('\n')}
fhir:
  r4: { trust: [${[...rights.keys()].join(', ')}], audiences: [${audiences.join(', ')}] }
`
}

const server = await openGuardedServer(together())
after(() => server.close())

describe('a lab that the configuration trusts', () => {
  for (const flavour of flavours) {
    test(`of ${flavour}: its token opens what its scopes name, and nothing else`, async () => {
      const token = rights.get(flavour)?.access_token
      const answer = await server.fhir('/Observation', token)
      assert.equal(answer.status, 200, JSON.stringify(answer.body))
      assert.equal((await server.fhir('/Patient', token)).status, 403)
    })

    test(`of ${flavour}: no wrong token opens anything`, async () => {
      for (const fault of Object.keys(LAB_TOKEN_FAULTS)) {
        const { access_token, config } = await labToken(
          ...(APPS[flavour] ?? []),
          ...keysOf(flavour),
          `--${fault}`,
        )
        const { status, challenge } = await server.fhir('/Observation', access_token)
        assert.equal(status, 401, fault)
        assert.match(challenge, /error="invalid_token"/, fault)
        // The lines do not teach anybody to trust what is wrong.
        assert.equal(config, rights.get(flavour)?.config, fault)
      }
    })
  }

  test('of Google: its opaque token is known, and what it was not given it does not have', async () => {
    const answer = await server.fhir('/Observation', rights.get('google')?.access_token)
    assert.equal(answer.status, 403)
    assert.match(answer.challenge, /error="insufficient_scope"/)
    assert.equal((await server.fhir('/Observation', 'ya29.nobody-made-this')).status, 401)
  })
})
