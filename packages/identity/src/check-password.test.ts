import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { checkPassword, MAX_PASSWORD_CHARACTERS } from '@scopegate/identity'
import fc from 'fast-check'

const CONTEXT = { words: ['scopegate', 'anna.meyer', 'Anna Meyer', 'anna.meyer@stjohns.example'] }

describe('a password is refused with what is wrong and what to do', () => {
  const cases: readonly (readonly [string, string, RegExp])[] = [
    ['eleven char', 'too-short', /has 11 characters, it needs 12/],
    ['', 'too-short', /has 0 characters/],
    ['x'.repeat(257), 'too-long', /longer than 256/],
    ['x'.repeat(100_000), 'too-long', /longer than 256/],
    ['password1234', 'guessable', /common word/],
    ['P@ssw0rd2026!', 'guessable', /common word/],
    ['Pässwörd-2026', 'guessable', /common word/],
    ['Summer2026!!!', 'guessable', /common word/],
    ['Willkommen123', 'guessable', /common word/],
    ['qwertyuiop12', 'guessable', /common word/],
    ['1qaz2wsx3edc', 'guessable', /common word/],
    ['sunshinedragon', 'guessable', /common word/],
    ['ｐａｓｓｗｏｒｄ１２３４', 'guessable', /common word/],
    ['aaaaaaaaaaaaaaaa', 'guessable', /repeats or counts on/],
    ['123456789012', 'guessable', /repeats or counts on/],
    ['abcabcabcabcabc', 'guessable', /common word|repeats/],
    ['            ', 'guessable', /repeats/],
    ['Scopegate2026', 'guessable', /name of this product/],
    ['annameyer1984', 'guessable', /your name/],
    ['meyer-stjohns-1', 'guessable', /your name/],
    ['5c0peg4te-5ervice', 'guessable', /./],
  ]
  for (const [password, reason, why] of cases) {
    test(`${JSON.stringify(password.slice(0, 30))}: ${reason}`, () => {
      const checked = checkPassword(password, CONTEXT)
      assert.ok(!checked.ok)
      assert.equal(checked.reason, reason)
      assert.match(checked.why, why)
      assert.notEqual(checked.fix, '')
    })
  }
})

describe('a password is taken', () => {
  const cases = [
    'lamp gravel otter seven',
    'correct horse battery staple',
    'dragon football summer monkey',
    'tjv9-kq2m-x7wd',
    '837465019283',
    'Der Igel frisst nachts Äpfel',
    '密码应该又长又好记才行啊',
    '🦔🌋🧭🪻🎻🧊🪁🛶🪨🦉🌾🧶',
    'no digits no capitals needed',
    '  blanks at both ends count  ',
  ]
  for (const password of cases) {
    test(JSON.stringify(password), () => {
      assert.deepEqual(checkPassword(password, CONTEXT), {
        ok: true,
        password: password.normalize('NFKC'),
      })
    })
  }
})

test('64 characters and more are taken, of any script, and none is cut off', () => {
  const character = fc
    .integer({ min: 0x20, max: 0x2fa1d })
    .map((code) => (code >= 0xd800 && code < 0xe000 ? 'a' : String.fromCodePoint(code)))
  fc.assert(
    fc.property(fc.array(character, { minLength: 64, maxLength: 200 }), (characters) => {
      const checked = checkPassword(characters.join(''))
      if (checked.ok) assert.equal(checked.password, characters.join('').normalize('NFKC'))
      // Normalisation may lengthen; beyond that only repetitions are refused.
      else if (checked.reason === 'too-long') {
        assert.ok([...characters.join('').normalize('NFKC')].length > MAX_PASSWORD_CHARACTERS)
      } else assert.equal(checked.reason, 'guessable')
    }),
  )
})

test('the same password typed on another keyboard is the same', () => {
  const composed = checkPassword('\u00c5kes M\u00fcller-Stra\u00dfe 14b')
  const decomposed = checkPassword('A\u030akes Mu\u0308ller-Stra\u00dfe 14b')
  assert.deepEqual(composed, decomposed)
})

test('a refusal never repeats the password', () => {
  for (const password of ['hunter2', 'Zaphod2026Zaphod', 'qwertyqwerty1']) {
    const checked = checkPassword(password, { words: ['Zaphod'] })
    assert.ok(!checked.ok)
    assert.ok(!`${checked.why} ${checked.fix}`.includes(password))
  }
})
