import { createHash } from 'node:crypto'

/** Where the one script of the pages is served. */
export const PASSKEY_SCRIPT_PATH = '/oauth/passkeys.js'

/**
 * Browsers hand out passkeys to scripts only. This one asks for the passkey that a form describes,
 * puts the answer into its field `response`, and sends the form.
 *
 * @see Web Authentication Level 3 §5.1.8, parseCreationOptionsFromJSON and its sibling
 */
const SCRIPT = `'use strict'
const tell = (id) => { document.getElementById(id).hidden = false }
const can = typeof globalThis.PublicKeyCredential?.parseRequestOptionsFromJSON === 'function'
if (!can) tell('passkey-unsupported')
for (const form of document.querySelectorAll('form[data-passkey]')) {
  form.addEventListener('submit', async (event) => {
    event.preventDefault()
    if (!can) return
    document.getElementById('passkey-problem').hidden = true
    const options = JSON.parse(form.dataset.options)
    try {
      const credential = form.dataset.passkey === 'create'
        ? await navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options) })
        : await navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options) })
      form.elements.response.value = JSON.stringify(credential)
    } catch {
      tell('passkey-problem')
      return
    }
    form.submit()
  })
}
`

export interface PasskeyScript {
  readonly text: string
  /** Strong: a hash of the bytes. */
  readonly etag: string
  /** With the hash in its query, so that a change is seen at once. */
  readonly href: string
}

const HASH = createHash('sha256').update(SCRIPT).digest('base64url').slice(0, 22)

export const PASSKEY_SCRIPT: PasskeyScript = {
  text: SCRIPT,
  etag: `"${HASH}"`,
  href: `${PASSKEY_SCRIPT_PATH}?v=${HASH}`,
}
