import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createStylesheet } from './stylesheet.ts'
import { accentsOf, contrast, themeRules } from './theme.ts'

const AA = 4.5
const colour = fc
  .integer({ min: 0, max: 0xffffff })
  .map((value) => `#${value.toString(16).padStart(6, '0')}`)

test('law: whatever colour an operator gives, text on buttons and links can be read', () => {
  fc.assert(
    fc.property(colour, (given) => {
      const { light, dark } = accentsOf(given)
      assert.ok(contrast(light, '#ffffff') >= AA)
      assert.ok(contrast(dark, '#12191d') >= AA)
    }),
  )
})

test('a colour that can be read stays as it is', () => {
  assert.equal(accentsOf('#0b5cad').light, '#0b5cad')
})

test('every pair of text and ground in the stylesheet has the contrast of AA, in both schemes', () => {
  const [light = '', dark = ''] = createStylesheet({ name: 'x' })
    .css.split('}')
    .filter((rule) => rule.includes('--ink:'))
  const base = variablesOf(light)
  for (const scheme of [base, { ...base, ...variablesOf(dark) }]) {
    const pairs: readonly (readonly [string, string])[] = [
      ...['ground', 'card', 'tint'].flatMap((ground) =>
        ['ink', 'dim', 'accent'].map((text) => [text, ground] as const),
      ),
      ['on-accent', 'accent'],
      ['bad', 'card'],
      ['bad', 'bad-tint'],
      ['good', 'good-tint'],
      ['warn', 'warn-tint'],
    ]
    for (const [text, ground] of pairs) {
      const ratio = contrast(scheme[text] ?? '', scheme[ground] ?? '')
      assert.ok(ratio >= AA, `${text} on ${ground}: ${ratio.toFixed(2)}`)
    }
    // Edges of fields, and the ring of focus. @see WCAG 2.2 §1.4.11
    for (const shape of ['edge', 'focus']) {
      assert.ok(contrast(scheme[shape] ?? '', scheme.card ?? '') >= 3, shape)
    }
  }
})

test('properties of a theme are declarations and nothing more', () => {
  const theme = { name: 'x', colour: '#0b5cad', properties: { '--radius': '4px' } }
  assert.match(themeRules(theme), /^:root\{--accent:#0b5cad;--radius:4px;\}@media/)
  assert.equal(themeRules({ name: 'x' }), '')
  for (const value of ['red}body{display:none', 'red;color:blue', '</style>', 'a\\62']) {
    assert.throws(() => themeRules({ name: 'x', properties: { '--radius': value } }), TypeError)
  }
  assert.throws(() => themeRules({ name: 'x', properties: { color: 'red' } }), TypeError)
  assert.throws(() => themeRules({ name: 'x', colour: 'teal' }), /#rrggbb/)
})

test('another theme is another stylesheet, by its address and its tag', () => {
  const [one, other] = [
    createStylesheet({ name: 'x' }),
    createStylesheet({ name: 'x', colour: '#aa0000' }),
  ]
  assert.notEqual(one.etag, other.etag)
  assert.notEqual(one.href, other.href)
})

function variablesOf(rule: string): Record<string, string> {
  return Object.fromEntries(
    [...rule.matchAll(/--([a-z-]+):(#[0-9a-f]{6})/g)].map(([, name = '', value = '']) => [
      name,
      value,
    ]),
  )
}
