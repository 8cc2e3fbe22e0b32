import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { CDPSession, Page } from 'playwright-core'
import { openChromium, whyNoChromium } from '../support/chromium.ts'
import { openSmartServer, type Person, type SmartServer } from '../support/open-smart-server.ts'
import { complaintsOf, lookAt } from './look-at.ts'

// Passkeys in a real browser, whose device is one that the browser plays.
const skip = whyNoChromium()
// Here and not in a hook, with which its database would end.
const server: SmartServer =
  skip === undefined ? await openSmartServer({ hostname: 'localhost' }) : (undefined as never)

describe('passkeys in Chromium', { skip, timeout: 450_000 }, () => {
  let chromium: Awaited<ReturnType<typeof openChromium>>

  before(async () => {
    chromium = await openChromium()
  })
  after(async () => {
    await chromium?.close()
    await server?.close()
  })

  /** A page of a browser that was not here before, with a device that has no passkey yet. */
  async function freshPage(): Promise<{ page: Page; device: CDPSession }> {
    await chromium.context.clearCookies()
    const page = await chromium.context.newPage()
    const device = await chromium.context.newCDPSession(page)
    await device.send('WebAuthn.enable')
    await device.send('WebAuthn.addVirtualAuthenticator', {
      options: {
        protocol: 'ctap2',
        transport: 'internal',
        hasResidentKey: true,
        hasUserVerification: true,
        isUserVerified: true,
        automaticPresenceSimulation: true,
      },
    })
    return { page, device }
  }

  const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true })

  async function signIn(page: Page, { username, password }: Person): Promise<void> {
    await page.getByLabel('User name').fill(username)
    await page.getByLabel('Password').fill(password)
    await button(page, 'Sign in').click()
  }

  /** On the page for it, whose button does nothing of use before its script is there. */
  async function usePasskey(page: Page): Promise<void> {
    await page.getByRole('heading', { name: 'Use your passkey' }).waitFor()
    await page.waitForLoadState()
    await button(page, 'Use the passkey').click()
  }

  async function addPasskey(page: Page, { password }: Person): Promise<void> {
    await page.locator('#passkey-password').fill(password)
    await button(page, 'Add a passkey').click()
    await page.getByLabel('Name of the device').fill('Ward phone')
    await lookAt(page, 'passkey-add')
    await button(page, 'Make the passkey').click()
    await page.getByRole('heading', { name: 'Keep these recovery codes' }).waitFor()
    await page.getByRole('link', { name: 'I have kept them' }).click()
    await page.getByText('Ward phone', { exact: true }).waitFor()
  }

  const security = () => `${server.url}/account/security`
  const signOut = async (page: Page) => {
    await chromium.context.clearCookies()
    await page.goto(security())
  }

  test('a user adds one, signs in with it alone, and with it after the password', async () => {
    const person = await server.user()
    const { page } = await freshPage()
    const complaints = complaintsOf(page)
    await page.goto(security())
    await lookAt(page, 'sign-in-with-passkeys')
    await signIn(page, person)
    await addPasskey(page, person)
    await lookAt(page, 'security-with-passkey')

    await signOut(page)
    await button(page, 'Sign in with a passkey').click()
    await page.getByRole('heading', { name: 'Use your passkey' }).waitFor()
    await lookAt(page, 'passkey')
    await usePasskey(page)
    await page.getByText('Ward phone', { exact: true }).waitFor()

    await signOut(page)
    await signIn(page, person)
    await page.getByRole('heading', { name: 'Confirm that it is you' }).waitFor()
    await lookAt(page, 'factor-passkey')
    await button(page, 'Use the passkey').click()
    await usePasskey(page)
    await page.getByText('Ward phone', { exact: true }).waitFor()
    assert.deepEqual(complaints, [])
    await page.close()
  })

  test('the passkey of another, and none at all, let nobody in', async () => {
    const [anna, ben] = [await server.user(), await server.user()]
    const { page, device } = await freshPage()
    await page.goto(security())
    await signIn(page, anna)
    await addPasskey(page, anna)
    const ofBen = await freshPage()
    await ofBen.page.goto(security())
    await signIn(ofBen.page, ben)
    await addPasskey(ofBen.page, ben)

    // Ben's password, with nothing on the device but what is Anna's.
    await signOut(page)
    await signIn(page, ben)
    await button(page, 'Use the passkey').click()
    await usePasskey(page)
    await page.getByText('Your browser gave no passkey').waitFor()
    await lookAt(page, 'passkey-none')

    // An answer that no device gave.
    await signOut(page)
    await button(page, 'Sign in with a passkey').click()
    const action = await page.locator('form[data-passkey]').getAttribute('action')
    await page.locator('input[name=response]').evaluate((field) => {
      const input = field as unknown as { value: string; form: { submit(): void } }
      input.value = '{"id":"AAAA","type":"public-key"}'
      input.form.submit()
    })
    await page.getByText('That passkey was not accepted').waitFor()
    assert.match(action ?? '', /\/passkey-answer$/)
    await device.detach()
    await page.close()
    await ofBen.page.close()
  })

  test('who holds the session but not the password neither adds nor removes one', async () => {
    const person = await server.user()
    const { page } = await freshPage()
    await page.goto(security())
    await signIn(page, person)
    await addPasskey(page, person)
    await page.locator('#passkey-password').fill('not the password')
    await page.getByRole('button', { name: 'Remove the passkey Ward phone' }).click()
    await page.locator('#problem').waitFor()
    await page.getByText('Ward phone', { exact: true }).waitFor()

    await page.locator('#passkey-password').fill(person.password)
    await page.getByRole('button', { name: 'Remove the passkey Ward phone' }).click()
    await page.getByText('The passkey was removed').waitFor()
    assert.equal(await page.getByText('Ward phone', { exact: true }).count(), 0)
    await signOut(page)
    await button(page, 'Sign in with a passkey').click()
    await usePasskey(page)
    // The device still has it; here nobody knows it any more.
    await page.getByText('That passkey was not accepted').waitFor()
    await page.close()
  })
})
