import assert from 'node:assert/strict'
import { mkdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import type { Page } from 'playwright-core'

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
/** A folder to keep pictures in, to be looked at by people. */
const PICTURES = process.env.SCOPEGATE_SCREENSHOTS

interface AxeResults {
  readonly violations: readonly {
    readonly id: string
    readonly impact: string
    readonly nodes: readonly { readonly html: string }[]
  }[]
}

/** Light and dark, wide and narrow. */
const VIEWS = [
  { width: 1280, colorScheme: 'light' },
  { width: 380, colorScheme: 'dark' },
] as const

/**
 * A page is usable: axe finds nothing serious, nothing is wider than the screen, and the browser
 * had nothing to say about its policy.
 */
export async function lookAt(page: Page, name: string): Promise<void> {
  await page.waitForLoadState()
  for (const { width, colorScheme } of VIEWS) {
    await page.setViewportSize({ width, height: 900 })
    // Colours are measured, so none may be on its way to another.
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
    await page.evaluate(AXE)
    const { violations } = (await page.evaluate('axe.run()')) as AxeResults
    const serious = violations.filter(({ impact }) => impact !== 'minor' && impact !== 'moderate')
    assert.deepEqual(
      serious.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`),
      [],
      `${name}, ${width} px, ${colorScheme}`,
    )
    const isTooWide = await page.evaluate('document.documentElement.scrollWidth > innerWidth')
    assert.equal(isTooWide, false, `${name} is wider than ${width} px`)
    assert.equal(await page.locator('h1').count(), 1, `${name} has one heading`)
    if (PICTURES !== undefined) {
      mkdirSync(PICTURES, { recursive: true })
      const path = join(PICTURES, `${name}-${width}-${colorScheme}.png`)
      await page.screenshot({ path, fullPage: true })
    }
  }
  await page.setViewportSize({ width: 1280, height: 900 })
  await page.emulateMedia({ colorScheme: null, reducedMotion: null })
}

/** What a browser complains about: refused by a policy, not found, a script that failed. */
export function complaintsOf(page: Page): readonly string[] {
  const complaints: string[] = []
  page.on('console', (message) => {
    if (message.type() === 'error' && !/status of 4\d\d/.test(message.text())) {
      complaints.push(message.text())
    }
  })
  page.on('pageerror', (error) => complaints.push(String(error)))
  return complaints
}
