import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { html } from 'hono/html'
import { chooseLanguage } from './choose-language.ts'
import { DE } from './de.ts'
import { EN, type TextKey } from './en.ts'
import { createWords, offeredLanguages } from './words.ts'

describe('texts', () => {
  test('every language has the same keys, with the same gaps to fill, none empty', () => {
    assert.deepEqual(Object.keys(DE).sort(), Object.keys(EN).sort())
    for (const key of Object.keys(EN) as TextKey[]) {
      const gaps = (text: string) => [...text.matchAll(/\{\w+\}/g)].map(String).sort()
      assert.deepEqual(gaps(DE[key]), gaps(EN[key]), key)
      assert.notEqual(DE[key].trim(), '', key)
    }
  })

  test('an operator replaces words, and adds a language that falls back to English', () => {
    const overrides = { en: { 'signIn.title': 'Welcome' }, fr: { 'signIn.title': 'Connexion' } }
    assert.deepEqual(offeredLanguages(overrides), ['en', 'de', 'fr'])
    assert.equal(createWords('en', overrides)('signIn.title'), 'Welcome')
    assert.equal(createWords('fr', overrides)('signIn.title'), 'Connexion')
    assert.equal(createWords('fr', overrides)('signIn.password'), 'Password')
  })

  test('gaps are filled once: what stands in a value is no gap', () => {
    const t = createWords('en')
    assert.equal(
      t('common.signedInAs', { name: '{name} $& {app}' }),
      'Signed in as {name} $& {app}',
    )
    const rich = t.rich('common.signedInAs', { name: html`<b>${'<i>'}</b>` })
    assert.equal(String(rich), 'Signed in as <b>&lt;i&gt;</b>')
  })

  test('durations are told in the largest unit that says enough, rounded up', () => {
    const cases: readonly (readonly [number, string, string])[] = [
      [0, '1 second', '1 Sekunde'],
      [59, '59 seconds', '59 Sekunden'],
      [300, '5 minutes', '5 Minuten'],
      [5401, '91 minutes', '91 Minuten'],
      [36_000, '10 hours', '10 Stunden'],
      [7_776_000, '90 days', '90 Tage'],
    ]
    for (const [seconds, english, german] of cases) {
      assert.equal(createWords('en').duration(seconds), english)
      assert.equal(createWords('de').duration(seconds), german)
    }
  })

  test('a date keeps the precision it came with', () => {
    const [en, de] = [createWords('en'), createWords('de')]
    assert.equal(en.date('1987-02-20'), 'February 20, 1987')
    assert.equal(de.date('1987-02-20'), '20. Februar 1987')
    assert.equal(en.date('1954-11'), 'November 1954')
    assert.equal(en.date('2019'), '2019')
    assert.equal(en.date('2026-11-02T23:30:00-05:00'), 'November 2, 2026')
    assert.equal(en.date('soon'), 'soon')
  })

  test('a code without a word is shown as it is', () => {
    assert.equal(createWords('de').of('status', 'finished'), 'beendet')
    assert.equal(createWords('de').of('status', 'constructor'), 'constructor')
  })
})

describe('the language', () => {
  const offered = ['en', 'de']
  test('is what the request asks for, then what the user has, then what the browser wants', () => {
    const all = { uiLocales: 'de', userLocale: 'en', acceptLanguage: 'en' }
    assert.equal(chooseLanguage(offered, all), 'de')
    assert.equal(chooseLanguage(offered, { ...all, uiLocales: undefined }), 'en')
    assert.equal(chooseLanguage(offered, { acceptLanguage: 'de' }), 'de')
    assert.equal(chooseLanguage(offered, {}), 'en')
  })

  test('is found by its beginning, and unknown ones are passed over', () => {
    assert.equal(chooseLanguage(offered, { uiLocales: 'fr-CA de-AT-1996 en' }), 'de')
    assert.equal(chooseLanguage(offered, { uiLocales: 'dex - --' }), 'en')
  })

  test('follows the weights of Accept-Language', () => {
    const choose = (acceptLanguage: string) => chooseLanguage(offered, { acceptLanguage })
    assert.equal(choose('en;q=0.3, de;q=0.7'), 'de')
    assert.equal(choose('de;q=0, en'), 'en')
    assert.equal(choose('*'), 'en')
    assert.equal(choose(','.repeat(5000)), 'en')
  })
})
