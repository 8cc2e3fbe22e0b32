import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { isAway } from './support/browser.ts'
import { browserOf, openSmartServer, type Person } from './support/open-smart-server.ts'
import { createSmartApp } from './support/smart-app.ts'

// Statement 48 of the security checklist: guessing is slowed down, and locks nobody else out; and
// nobody learns who has an account.
const SCOPE = 'launch/patient openid patient/Patient.rs'

const server = await openSmartServer({ withoutSample: true })
after(() => server.close())
const app = await server.app({ scopes: SCOPE, as: 'secret' })

async function trySignIn(who: Pick<Person, 'username' | 'password'>) {
  const browser = browserOf(server)
  const page = await browser.open(app.authorize({ scope: SCOPE }).url)
  assert.ok(!isAway(page))
  const form = page.forms.find(({ fields }) => fields.some(({ name }) => name === 'password'))
  assert.ok(form)
  const { username, password } = who
  const result = await browser.submit(form, { username, password })
  const isSignedIn = browser.cookies.list().some(({ name }) => name === 'scopegate_session')
  return { result, isSignedIn }
}

describe('48 guessing passwords', () => {
  test('an unknown user and a wrong password get the same page and status', async () => {
    const person = await server.user()
    const wrong = await trySignIn({ ...person, password: 'not the password at all' })
    const unknown = await trySignIn({
      username: 'nobody-here',
      password: 'not the password at all',
    })
    for (const { result, isSignedIn } of [wrong, unknown]) {
      assert.ok(!isAway(result))
      assert.equal(isSignedIn, false)
    }
    assert.ok(!isAway(wrong.result) && !isAway(unknown.result))
    assert.equal(unknown.result.status, wrong.result.status)
    assert.equal(unknown.result.text, wrong.result.text)
    // What was typed stands in the form again, and nothing else differs.
    const bare = (html: string, username: string) =>
      html
        .replaceAll(username, '')
        .replace(/name="csrf" value="[^"]*"/g, '')
        .replace(/\/oauth\/interaction\/[A-Za-z0-9_-]+/g, '')
    assert.equal(bare(unknown.result.html, 'nobody-here'), bare(wrong.result.html, person.username))
  })

  test('a disabled user gets the same, with the right password', async () => {
    const person = await server.user()
    await server.admin('PATCH', `/users/${person.id}`, { disabled: true })
    const disabled = await trySignIn(person)
    const unknown = await trySignIn({ username: 'nobody-at-all', password: person.password })
    assert.ok(!isAway(disabled.result) && !isAway(unknown.result))
    assert.equal(disabled.isSignedIn, false)
    assert.equal(disabled.result.status, unknown.result.status)
    assert.equal(disabled.result.text, unknown.result.text)
  })

  test('many guesses at one account are slowed down, and another account is not', async () => {
    const [victim, other] = [await server.user(), await server.user()]
    let wait: { status: number; headers: Headers } | undefined
    for (let guess = 0; guess < 40 && wait === undefined; guess++) {
      const { result, isSignedIn } = await trySignIn({
        ...victim,
        password: `guess number ${guess}`,
      })
      assert.ok(!isAway(result) && !isSignedIn)
      if (result.status === 429) wait = result
    }
    assert.ok(wait, 'at last 429')
    assert.ok(Number(wait.headers.get('retry-after')) > 0)
    const { isSignedIn } = await trySignIn(other)
    assert.equal(isSignedIn, true)
  })
})

describe('48 guessing secrets and codes', () => {
  test('codes and refresh tokens are long and random', async () => {
    const { tokenUrl, fhirUrl, authorizeUrl } = server
    const guesser = createSmartApp(app, { tokenUrl, fhirUrl, authorizeUrl })
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) => guesser.refresh(`guess-${index}`)),
    )
    for (const { status } of answers) assert.ok([400, 429].includes(status))
  })
})
