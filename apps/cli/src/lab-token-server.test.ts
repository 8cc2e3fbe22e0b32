import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { test } from 'node:test'

const bin = join(import.meta.dirname, '../bin/scopegate.mjs')

function start(...args: string[]) {
  return spawn(
    process.execPath,
    ['--conditions=source', bin, 'lab', 'token-server', '--port', '0', ...args],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  )
}

test('lab token-server: tokens and what takes them, and it fails while it runs when it is told to', async (t) => {
  const child = start('--resource-port', '0', '--seconds', '7', '--json')
  t.after(() => child.kill())
  let text = ''
  for await (const chunk of child.stdout) {
    text += chunk
    if (text.includes('\n}\n')) break
  }
  const { tokenEndpoint, state, resource, config } = JSON.parse(text)
  assert.match(config, /^connections:\n {2}- name: lab\n/)
  const ask = () =>
    fetch(tokenEndpoint, {
      method: 'POST',
      body: new URLSearchParams({ grant_type: 'client_credentials', client_id: 'app', scope: 'a' }),
    })
  // Who does not authenticate is no app.
  assert.equal((await ask()).status, 400)
  const authorization = `Basic ${Buffer.from('app:anything').toString('base64')}`
  const body = new URLSearchParams({ grant_type: 'client_credentials', scope: 'a' })
  const fetched = () => fetch(tokenEndpoint, { method: 'POST', body, headers: { authorization } })
  const answer = (await (await fetched()).json()) as { access_token: string; expires_in: number }
  assert.equal(answer.expires_in, 7)
  const used = await fetch(`${resource}/Patient/1`, {
    headers: { authorization: `Bearer ${answer.access_token}` },
  })
  assert.equal(((await used.json()) as { id: string }).id, '1')

  const headers = { 'content-type': 'application/json' }
  const wish = JSON.stringify({ outage: 'unavailable', retryAfter: '7' })
  await fetch(state, { method: 'POST', headers, body: wish })
  const refused = await fetched()
  assert.deepEqual([refused.status, refused.headers.get('retry-after')], [503, '7'])

  child.kill('SIGTERM')
  const [code] = await once(child, 'exit')
  assert.equal(code, 0)
})

test('lab token-server: what there is not is refused with what there is', async () => {
  const child = start('--fault', 'nonsense')
  let errors = ''
  for await (const chunk of child.stderr) errors += chunk
  if (child.exitCode === null) await once(child, 'exit')
  assert.equal(child.exitCode, 1)
  assert.match(errors, /there is no `nonsense`[\s\S]*one of no_token_type/)
})
