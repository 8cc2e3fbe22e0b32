import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createMask, secretsOfForm, secretsOfHeader, secretsOfJson } from './mask.ts'
import { readPageForms, readRefresh, readTitle } from './page-forms.ts'

test('a secret is shown by its first four characters, however it is spelled; a short one by none', () => {
  const mask = createMask()
  mask.add('abcd/efgh+ijkl mnop')
  mask.add('short123')
  mask.add('abcd/efgh+ijkl mnop and more')
  mask.add('x')
  assert.equal(mask.apply('a abcd/efgh+ijkl mnop b'), 'a abcd… b')
  assert.equal(
    mask.apply('q=abcd%2Fefgh%2Bijkl%20mnop&r=abcd%2Fefgh%2Bijkl+mnop'),
    'q=abcd…&r=abcd…',
  )
  assert.equal(mask.apply('abcd/efgh+ijkl mnop and more'), 'abcd…')
  assert.equal(mask.apply('short123 x'), '… x')
})

test('secrets are known by where they stand', () => {
  assert.deepEqual(secretsOfHeader('Authorization', 'Bearer aaa.bbb'), ['aaa.bbb'])
  assert.deepEqual(secretsOfHeader('cookie', 'a=1; b=2=3'), ['1', '2=3'])
  assert.deepEqual(secretsOfHeader('Set-Cookie', 'a=xyz; Path=/; HttpOnly'), ['xyz'])
  assert.deepEqual(secretsOfHeader('location', '/cb?code=C&state=S'), ['C'])
  assert.deepEqual(secretsOfForm(new URLSearchParams('password=p&username=u')), ['p'])
  assert.deepEqual(
    secretsOfJson({ access_token: 'A', issue: [{ code: 'login', x: { refresh_token: 'R' } }] }),
    ['A', 'R'],
  )
})

test('a form is read as a browser would send it', () => {
  const html = `<title>Sign in &amp; go</title>
<form method="post" action="/oauth/interaction/1/consent"><input type="hidden" name="csrf" value="a&quot;b">
<input type="checkbox" name="scope" value="x" checked><input type="checkbox" name="scope" value="y">
<input name="off" value="1" disabled><input type="radio" name="mode x" value="all" checked>
<button name="decision" value="allow">Allow</button><button>Other</button></form>`
  const [form] = readPageForms(html, 'https://as.example/oauth/interaction/1')
  assert.equal(form?.action, 'https://as.example/oauth/interaction/1/consent')
  assert.deepEqual(form?.fields, [
    ['csrf', 'a"b'],
    ['scope', 'x'],
    ['mode x', 'all'],
  ])
  assert.deepEqual(form?.buttons, [{ name: 'decision', value: 'allow' }])
  assert.equal(readTitle(html), '(page: Sign in & go)')
  assert.equal(readRefresh(html), undefined)
  const finish = '<meta http-equiv="refresh" content="0; url=https://a.example/?x=1&amp;y=2">'
  assert.equal(readRefresh(finish), 'https://a.example/?x=1&y=2')
})
