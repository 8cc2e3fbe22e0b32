import assert from 'node:assert/strict'
import { type Browser, isAway, type Page } from './browser.ts'

/** The page where a signed-in user sees their grants. */
export async function accountPage(browser: Browser, serverUrl: string): Promise<Page> {
  const page = await browser.open(`${serverUrl}/account`)
  assert.ok(!isAway(page) && page.status === 200, 'the account page is shown')
  return page
}

/** Presses the sign-out of the account page. */
export async function signOut(browser: Browser, serverUrl: string): Promise<void> {
  const page = await accountPage(browser, serverUrl)
  const form = page.forms.find(({ action }) => action.endsWith('/account/logout'))
  assert.ok(form, 'the account page has a sign-out')
  await browser.submit(form)
}

/** Takes back every grant that the account page lists. */
export async function revokeAll(browser: Browser, serverUrl: string): Promise<void> {
  for (let rounds = 0; rounds < 100; rounds++) {
    const page = await accountPage(browser, serverUrl)
    const form = page.forms.find(({ action }) => action.endsWith('/account/revoke'))
    if (!form) return
    await browser.submit(form)
  }
  throw new Error('grants are left after a hundred were taken back')
}
