import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readForms, readLinks, readText } from './html-forms.ts'

const PAGE = `<!doctype html><html><head><title>x</title><style>p{}</style></head><body>
<!-- <form action="/comment"></form> -->
<p>Ana &amp; <b>Bo</b></p> <a href="../out?a=1&amp;b=2">Sign <i>out</i></a>
<form id="f" method="post" action="/go">
  <input type="hidden" name="csrf" value="a&quot;b"><input name=user required>
  <input type="checkbox" name="scope" value="patient/Observation.rs?category=http://x|lab" checked>
  <input type="checkbox" name="scope" value="other"><input type=password name=password>
  <select name="size"><option value="s">S</option><option value="m" selected>M</option></select>
  <textarea name="note">hi &lt;there&gt;</textarea>
  <button type="button" name="no">No</button><button name="do" value="allow">Allow <b>it</b></button>
</form>
<button form="f" name="do" value="deny" formaction="/deny">Deny</button>
<form><input name=q></form></body></html>`

test('the forms of a page are read as a browser sends them', () => {
  const [go, search] = readForms(PAGE, 'http://127.0.0.1/a/b')
  assert.equal(go?.action, 'http://127.0.0.1/go')
  assert.equal(go?.method, 'POST')
  assert.deepEqual(
    go?.fields.filter(({ isOn }) => isOn).map(({ name, value }) => [name, value]),
    [
      ['csrf', 'a"b'],
      ['user', ''],
      ['scope', 'patient/Observation.rs?category=http://x|lab'],
      ['password', ''],
      ['size', 'm'],
      ['note', 'hi <there>'],
    ],
  )
  assert.deepEqual(
    go?.buttons.map(({ text, value, action }) => [text, value, action]),
    [
      ['Allow it', 'allow', undefined],
      ['Deny', 'deny', 'http://127.0.0.1/deny'],
    ],
  )
  assert.equal(search?.method, 'GET')
  assert.equal(search?.action, 'http://127.0.0.1/a/b')
})

test('links and text are read', () => {
  assert.deepEqual(readLinks(PAGE, 'http://127.0.0.1/a/b'), [
    { href: 'http://127.0.0.1/out?a=1&b=2', text: 'Sign out' },
  ])
  assert.match(readText(PAGE), /^Ana & Bo Sign out/)
})
