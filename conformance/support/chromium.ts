import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type BrowserContext, chromium } from 'playwright-core'

const EXECUTABLE = process.env.SCOPEGATE_CHROMIUM ?? '/usr/bin/chromium'

/** Why tests with a real browser cannot run here; `undefined` when they can. */
export function whyNoChromium(): string | undefined {
  if (existsSync(EXECUTABLE)) return undefined
  return `there is no browser at ${EXECUTABLE}; name a Chromium in SCOPEGATE_CHROMIUM`
}

/** A Chromium with a profile of its own that talks to loopback only. */
export async function openChromium(): Promise<{ context: BrowserContext; close(): Promise<void> }> {
  const profile = mkdtempSync(join(tmpdir(), 'scopegate-chromium-'))
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: EXECUTABLE,
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
  return {
    context,
    async close() {
      await context.close()
      rmSync(profile, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}
