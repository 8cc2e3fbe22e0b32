import assert from 'node:assert/strict'
import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { after, test } from 'node:test'
import { createLabIssuer, createLabKey } from '@scopegate/lab'
import { openSmartServer } from './support/open-smart-server.ts'

// Problem 1, acceptance 3: what was refused is answered after a change of the file. No restart.
const lab = createLabIssuer({ issuer: 'https://idp.example', keys: [createLabKey('ES256')] })
const server = await openSmartServer()
after(() => server.close())
const { configFile, fhirUrl, reload } = server
const original = readFileSync(configFile, 'utf8')
writeFileSync(`${configFile}.keys.json`, JSON.stringify(lab.keySet))

/** As editors do it: another file in the place of the old one. */
function write(text: string): void {
  writeFileSync(`${configFile}.new`, text)
  renameSync(`${configFile}.new`, configFile)
}

const trusting = (audiences: string) =>
  original
    .replace('userPolicy: all', `userPolicy: all, trust: [self, idp], audiences: [${audiences}]`)
    .concat(
      `issuers:\n  - { name: idp, issuer: "https://idp.example", keysFile: ${configFile}.keys.json }\n`,
    )

const FOREIGN = '11111111-2222-4333-8444-555555555555'
const token = lab.mintToken({
  audience: FOREIGN,
  scope: 'system/Observation.rs',
  clientId: 'app',
})
const count = () => server.fhir(token, 'Observation?_summary=count')
interface Status {
  readonly configuration: {
    readonly revision: number
    readonly lastReload?: {
      readonly outcome: string
      readonly changed: readonly string[]
      readonly needsRestart: readonly string[]
      readonly problems: readonly string[]
    }
  }
}
const status = async () => (await server.admin<Status>('GET', '/status')).configuration

async function until(holds: () => Promise<boolean>): Promise<void> {
  for (let i = 0; i < 300; i += 1) {
    if (await holds()) return
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  assert.fail('did not come about')
}

test('an issuer, then its audience, are trusted as soon as the file says so', async () => {
  assert.equal((await count()).status, 401)
  assert.equal((await status()).revision, 1)
  write(trusting(''))
  await until(async () => (await status()).revision === 2)
  const refused = await count()
  assert.equal(refused.status, 401)
  assert.match(await refused.text(), /audience_mismatch/)
  write(trusting(FOREIGN))
  await until(async () => (await count()).status === 200)
  const { revision, lastReload } = await status()
  assert.deepEqual([revision, lastReload?.changed], [3, ['fhir.r4.audiences']])
  const audited = (await server.sql('SELECT content FROM audit_admin ORDER BY seq'))
    .map(({ content }) => String(content))
    .filter((content) => content.includes('configuration.reload'))
  assert.equal(audited.length, 2)
  assert.match(audited[1]!, /fhir\.r4\.audiences/)
  assert.ok(!audited.join().includes(FOREIGN), 'names, no values')
})

test('a broken file changes nothing, and the operator reads line and fix', async () => {
  const before = (await status()).revision
  write(trusting(FOREIGN).replace('userPolicy: all', 'userPolicy: everybody'))
  await until(async () => (await status()).lastReload?.outcome === 'refused')
  const { revision, lastReload } = await status()
  assert.equal(revision, before)
  assert.match(lastReload!.problems.join(), /scopegate-one\.yaml:\d+ +fhir\.r4\.userPolicy/)
  assert.equal((await count()).status, 200)
  write(trusting(FOREIGN))
  await until(async () => (await status()).lastReload?.outcome === 'applied')
})

test('what needs a restart is named and stays; the rest comes into force', async () => {
  write(
    trusting('another')
      .replace('url: env:CONFORMANCE_DATABASE', 'url: env:CONFORMANCE_DATABASE, poolSize: 3')
      .concat('log: { level: warn }\n'),
  )
  assert.equal(await reload(), 'applied')
  const { lastReload } = await status()
  assert.deepEqual(lastReload?.needsRestart, ['storage.poolSize'])
  assert.deepEqual(lastReload?.changed, ['fhir.r4.audiences', 'log.level'])
  assert.equal((await count()).status, 401)
  assert.ok(server.log.some((line) => line.includes('in force after a restart')))
  assert.equal(await reload(), 'unchanged')
})

test('clients of the file come and go, with their tokens', async () => {
  const secret = 'not-a-secret-0123456789'
  writeFileSync(`${configFile}.secret`, secret)
  const client = (scopes: string) =>
    `clients:\n  - { id: filed, secret: "file:${configFile}.secret", scopes: "${scopes}" }\n`
  const issue = () =>
    fetch(server.tokenUrl, {
      method: 'POST',
      headers: { authorization: `Basic ${btoa(`filed:${secret}`)}` },
      body: new URLSearchParams({ grant_type: 'client_credentials', resource: fhirUrl }),
    })
  write(original + client('system/Observation.rs'))
  await reload()
  const { access_token: held } = (await (await issue()).json()) as { access_token: string }
  assert.equal((await server.fhir(held, 'Observation?_summary=count')).status, 200)
  write(original)
  await reload()
  assert.equal((await issue()).status, 401)
  assert.equal((await server.fhir(held, 'Observation?_summary=count')).status, 401)
})

test('a hundred reloads under load fail no request', async () => {
  const app = await server.app({
    scopes: 'system/*.rs',
    as: 'secret',
    grants: ['client_credentials'],
  })
  let isOver = false
  let answered = 0
  const bad: string[] = []
  const caller = async () => {
    while (!isOver) {
      const { json } = await app.clientCredentials('system/*.rs')
      const answer = await server.fhir(json.access_token, 'Observation?_count=5')
      const text = await answer.text()
      answered += 1
      if (answer.status !== 200) bad.push(`${answer.status} ${text}`)
    }
  }
  const callers = [caller(), caller()]
  try {
    for (let i = 0; i < 100; i += 1) {
      write(original.replace('userPolicy: all', `userPolicy: all, pageSize: ${(i % 2) + 10}`))
      assert.equal(await reload(), 'applied')
    }
  } finally {
    isOver = true
    await Promise.all(callers)
  }
  assert.deepEqual(bad, [])
  assert.ok(answered > 0)
})
