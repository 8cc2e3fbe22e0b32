import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  CATALOGUE,
  CHECK_ORDER,
  findLoginReason,
  LOGIN_CATALOGUE,
  LOGIN_CHECKS,
  renderCatalogueMarkdown,
  renderText,
  TOKEN_REQUEST_CATALOGUE,
  TOKEN_REQUEST_CHECKS,
} from '@scopegate/checks'

test('no name and no code of a sign-in is one of other requests', () => {
  const names: readonly string[] = [...CHECK_ORDER, ...TOKEN_REQUEST_CHECKS]
  for (const name of LOGIN_CHECKS) assert.ok(!names.includes(name), name)
  for (const code of Object.keys(LOGIN_CATALOGUE)) {
    assert.ok(
      !Object.hasOwn(CATALOGUE, code) && !Object.hasOwn(TOKEN_REQUEST_CATALOGUE, code),
      code,
    )
  }
})

test('every reason of a sign-in is documented, with what to do', () => {
  const text = renderCatalogueMarkdown()
  for (const [code, { fix, text: shown }] of Object.entries(LOGIN_CATALOGUE)) {
    assert.ok(text.includes(`#### ${code}`))
    assert.ok(text.includes(fix))
    assert.match(shown, /\.$/, 'people read sentences')
  }
  for (const code of [undefined, 'nonsense', 'constructor']) {
    assert.equal(findLoginReason(code), undefined)
  }
})

test('the operator reads the checks in their order, the failed one with title and fix', () => {
  const text = renderText([
    { name: 'state', outcome: 'pass' },
    { name: 'id_token', outcome: 'fail', code: 'id_token_nonce', fix: 'start again' },
    { name: 'provider', outcome: 'pass' },
  ])
  assert.deepEqual(
    text.split('\n').map((line) => line.trim().split(/ {2,}/)[0]),
    [
      '✓ provider',
      '✓ state',
      '– response',
      '– code',
      '✗ id_token',
      'ID token of another sign-in (id_token_nonce)',
      'fix: start again',
      '– tenant',
      '– userinfo',
    ],
  )
})
