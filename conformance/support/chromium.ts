import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type BrowserContext, chromium } from 'playwright-core'

/** Named on purpose: a browser takes its time, and `npm test` shall need none. */
const EXECUTABLE = process.env.SCOPEGATE_CHROMIUM

/** Why tests with a real browser cannot run here; `undefined` when they can. */
export function whyNoChromium(): string | undefined {
  if (EXECUTABLE === undefined) return 'only where SCOPEGATE_CHROMIUM names a Chromium'
  return existsSync(EXECUTABLE) ? undefined : `there is no browser at ${EXECUTABLE}`
}

export interface ChromiumOptions {
  /** Cookies of a site in frames and requests of pages of another. Default: blocked. */
  readonly thirdPartyCookies?: 'allowed' | 'blocked'
}

/** A Chromium with a profile of its own that talks to loopback only. */
export async function openChromium(
  options: ChromiumOptions = {},
): Promise<{ context: BrowserContext; close(): Promise<void> }> {
  const profile = mkdtempSync(join(tmpdir(), 'scopegate-chromium-'))
  const isBlocked = options.thirdPartyCookies !== 'allowed'
  const settings = { block_third_party_cookies: isBlocked, cookie_controls_mode: isBlocked ? 1 : 0 }
  mkdirSync(join(profile, 'Default'))
  writeFileSync(join(profile, 'Default', 'Preferences'), JSON.stringify({ profile: settings }))
  const context = await chromium.launchPersistentContext(profile, {
    ...(EXECUTABLE && { executablePath: EXECUTABLE }),
    headless: true,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  })
  // Playwright's own 30 seconds are short where others work.
  context.setDefaultTimeout(60_000)
  return {
    context,
    async close() {
      await context.close()
      rmSync(profile, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}
