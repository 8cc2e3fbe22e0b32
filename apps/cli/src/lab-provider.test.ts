import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { createUpstreamLogins } from '@scopegate/oidc-login'
import { createSealer } from '@scopegate/secrets'
import { readConfig, upstreamProviders } from '@scopegate/server'

const bin = join(import.meta.dirname, '../bin/scopegate.mjs')

async function start(...args: string[]) {
  const child = spawn(
    process.execPath,
    ['--conditions=source', bin, 'lab', 'provider', '--port', '0', ...args],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  )
  let text = ''
  let errors = ''
  child.stderr.on('data', (chunk) => {
    errors += chunk
  })
  for await (const chunk of child.stdout) {
    text += chunk
    if (text.includes('Ctrl-C')) break
  }
  return { child, text, errors: () => errors }
}

for (const flavour of ['generic', 'entra', 'keycloak']) {
  test(`lab provider --flavour ${flavour}: the printed configuration works as pasted`, async (t) => {
    const { child, text } = await start('--flavour', flavour)
    t.after(() => child.kill())
    const folder = mkdtempSync(join(tmpdir(), 'lab-provider-'))
    t.after(() => rmSync(folder, { recursive: true }))
    const yaml = /^login:[\s\S]*?(?=\n\n)/m.exec(text)?.[0] ?? ''
    writeFileSync(join(folder, 'scopegate.yaml'), yaml)
    const config = readConfig({ cwd: folder }, { LAB_SECRET: 'anything' })
    const logins = createUpstreamLogins({
      providers: upstreamProviders(config.providers),
      sealer: createSealer([{ id: 'k', key: Buffer.alloc(32) }]),
      callbackUrl: (name) => `${config.url}/oauth/login/${name}/callback`,
      nowMs: Date.now,
    })
    const { redirectTo, state } = await logins.begin('lab', { returnTo: '/account' })
    const answer = await fetch(`${redirectTo}&lab_user=nora`, { redirect: 'manual' })
    const answered = new URL(answer.headers.get('location') ?? '')
    const { claims } = await logins.complete('lab', answered, state)
    assert.equal(claims.name, 'Nora Nurse')
    assert.match(claims.fhirUser ?? '', /^Practitioner\//)
    child.kill('SIGTERM')
    const [code] = await once(child, 'exit')
    assert.equal(code, 0)
  })
}

test('lab provider: what there is not is refused with what there is', async () => {
  const { child, errors } = await start('--fault', 'nonsense')
  if (child.exitCode === null) await once(child, 'exit')
  assert.equal(child.exitCode, 1)
  assert.match(errors(), /there is no `nonsense`[\s\S]*one of wrong_nonce/)
})
