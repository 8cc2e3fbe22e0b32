import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { backup, openStorage, restore, type Storage } from '@scopegate/storage'
import { emptyTestDatabase } from '@scopegate/storage/testing'
import { authorizeInBrowser, codeOf } from './support/launch-app.ts'
import { browserOf, openSmartServer } from './support/open-smart-server.ts'
import { createSmartApp } from './support/smart-app.ts'

// Statement 71 of the security checklist: what was used up or revoked after a backup does not come
// back with it.
const SCOPE = 'launch/patient openid offline_access patient/Patient.rs'

const server = await openSmartServer()
const folder = mkdtempSync(join(tmpdir(), 'scopegate-restore-'))
const restoredUrl = await emptyTestDatabase()
after(async () => {
  await server.close()
  rmSync(folder, { recursive: true, force: true })
})

test('71 a restored backup brings back no code, no session and no revoked family', async () => {
  const app = await server.app({ scopes: SCOPE, as: 'secret' })
  const person = await server.user()
  const browser = browserOf(server)
  const revoked = await server.launch(app, person, { scope: SCOPE, patient: 'patient-1', browser })
  const request = app.authorize({ scope: SCOPE })
  const away = await authorizeInBrowser(browser, request, person, { patient: 'patient-1' })
  const code = codeOf(away, request)
  const handle = await server.ehrLaunch(
    await server.app({ scopes: 'launch patient/Patient.rs' }),
    person,
    { patient: 'patient-1' },
  )
  assert.ok(handle)

  const file = join(folder, 'then.backup')
  await withStorage(server.databaseUrl, (storage) => backup(storage, file))
  assert.equal((await app.exchange(code, request)).status, 200)
  await app.post(server.configuration.revocation_endpoint, {
    token: revoked.token.refresh_token ?? '',
  })
  await withStorage(restoredUrl, (storage) => restore(file, storage))

  const sibling = await server.sibling(restoredUrl)
  try {
    const at = (url: string) => url.replace(server.url, sibling.listenUrl)
    const there = createSmartApp(app, {
      tokenUrl: at(server.tokenUrl),
      fhirUrl: server.fhirUrl,
      authorizeUrl: server.authorizeUrl,
    })
    assert.equal((await there.exchange(code, request)).json.error, 'invalid_grant')
    const refreshed = await there.refresh(revoked.token.refresh_token ?? '')
    assert.equal(refreshed.json.error, 'invalid_grant')
    const headers = { authorization: `Bearer ${revoked.accessToken}` }
    const read = await fetch(at(`${server.fhirUrl}/Patient/patient-1`), { headers })
    assert.equal(read.status, 401)

    // The user and the client are there, and begin anew.
    const again = app.authorize({ scope: SCOPE })
    const anew = browserOf(server, (url, init) => fetch(at(url), init))
    for (const { name, value, path } of browser.cookies.list()) anew.cookies.set(name, value, path)
    const next = await authorizeInBrowser(anew, again, person, { patient: 'patient-1' })
    assert.ok(anew.seen.some(({ url, method }) => method === 'POST' && url.endsWith('/sign-in')))
    const { status } = await there.exchange(codeOf(next, again), again)
    assert.equal(status, 200)
  } finally {
    await sibling.close()
  }
})

async function withStorage<Result>(
  url: string,
  work: (storage: Storage) => Promise<Result>,
): Promise<Result> {
  const storage = await openStorage({ url })
  return work(storage).finally(() => storage.close())
}
