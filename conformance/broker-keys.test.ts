import assert from 'node:assert/strict'
import { generateKeyPairSync, type JsonWebKey, type KeyObject } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { createLabKey, type LabClient } from '@scopegate/lab'
import { labConnection, openBrokerServer } from './support/open-broker-server.ts'

// Scenario 15 and walk-through 6: connections sign with keys that this server publishes and nobody sees.
const folder = mkdtempSync(join(tmpdir(), 'scopegate-broker-keys-'))
after(() => rmSync(folder, { recursive: true }))

const rsa = () => generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
const [first, second, third] = [rsa(), rsa(), rsa()] as const
const elliptic = generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey
const pem = (key: KeyObject) => String(key.export({ format: 'pem', type: 'pkcs8' }))
const file = (name: string, key: KeyObject) => {
  writeFileSync(join(folder, name), pem(key))
  return `file:${join(folder, name)}`
}

// The clients at the lab: their keys are what this server publishes, as it was read at registration.
const clients: LabClient[] = []
const { server, lab, out, token, close } = await openBrokerServer({
  lab: { keys: [createLabKey('ES256')], clients },
  connections: (lab, resource) =>
    [
      ['smart-rsa', 'lab-rsa', 'RS384'],
      ['smart-ec', 'lab-ec', 'ES384'],
    ]
      .map(([name, key, alg]) =>
        labConnection(lab, resource, {
          name: name!,
          more: [
            'preset: smart',
            `clientId: ${name}`,
            `authentication: { key: ${key}, alg: ${alg} }`,
            'scopes: [system/Patient.rs]',
          ],
        }),
      )
      .join('\n'),
  yaml: `keys:
  - name: lab-rsa
    privateKey: ${file('rsa.pem', first)}
    algorithms: [RS384]
    next: { privateKey: "${file('next.pem', second)}" }
  - name: lab-ec
    privateKey: ${file('ec.pem', elliptic)}
    algorithms: [ES384]
`,
})
after(close)

interface KeySet {
  readonly keys: readonly (JsonWebKey & { readonly kid: string; readonly d?: string })[]
}
const published = async (name: string) =>
  (await (await fetch(`${server.url}/keys/${name}/jwks.json`)).json()) as KeySet

test('assertions by RS384 and ES384 are taken by whoever knows the published keys', async () => {
  for (const [name, key, alg] of [
    ['smart-rsa', 'lab-rsa', 'RS384'],
    ['smart-ec', 'lab-ec', 'ES384'],
  ] as const) {
    const { keys } = await published(key)
    assert.equal(
      keys.length,
      key === 'lab-rsa' ? 2 : 1,
      'the current one, and the next if there is one',
    )
    for (const each of keys) {
      assert.deepEqual(
        ['d', 'p', 'q', 'dp', 'dq', 'qi', 'k'].filter((member) => member in each),
        [],
      )
    }
    clients.push({ clientId: name, keys, redirectUris: [] })
    assert.equal((await out(`${name}/Patient/1`)).status, 200)
    const { header, claims } = lab.requests.at(-1)?.assertion ?? assert.fail()
    assert.deepEqual([header.alg, header.typ, header.kid], [alg, 'JWT', keys[0]?.kid])
    assert.deepEqual([claims.iss, claims.sub, claims.aud], [name, name, lab.tokenEndpoint])
    const life = Number(claims.exp) - Number(claims.iat)
    assert.ok(life > 0 && life <= 300, `${life} s`)
    assert.match(String(claims.jti), /.{16,}/)
  }
})

test('the next key takes over without a request that fails, at a server that knew both', async () => {
  const kid = () => lab.requests.at(-1)?.assertion?.header.kid
  const before = kid()
  assert.equal((await token('smart-rsa')).status, 200)
  let stop = false
  const failures: string[] = []
  const callers = Array.from({ length: 4 }, async () => {
    while (!stop) {
      const answer = await out('smart-rsa/Patient/1')
      const text = await answer.text()
      if (answer.status !== 200) failures.push(`${answer.status} ${text}`)
    }
  })
  // Half of the change is none: the key before goes on until there is another next one.
  file('rsa.pem', second)
  assert.equal(await server.reload(), 'refused')
  file('next.pem', third)
  await server.reload()
  assert.deepEqual(
    (await published('lab-rsa')).keys.map(({ kid }) => kid).length,
    3,
    'the one before, which may have signed something, the current one and the next',
  )
  lab.revokeAccessTokens()
  for (let tries = 0; kid() === before && tries < 200; tries++) {
    await new Promise((resolve) => setTimeout(resolve, 25))
  }
  stop = true
  await Promise.all(callers)
  assert.deepEqual(failures, [])
  assert.notEqual(kid(), before)
  assert.equal(lab.counts.refused, 0)
})

test('the key is in no answer and no line of the log', async () => {
  const secret = pem(second).split('\n').slice(1, -2).join('')
  for (const path of ['/keys/lab-rsa', '/connections/smart-rsa', '/connections', '/keys']) {
    const answer = await server.adminCall('GET', path)
    const text = await answer.text()
    assert.ok(!text.includes('PRIVATE KEY') && !text.includes(secret.slice(40, 120)), path)
  }
  const log = server.log.join('')
  assert.ok(!log.includes('PRIVATE KEY') && !log.includes(secret.slice(40, 120)))
})
