import type { IncomingMessage } from 'node:http'

/** As much as the engine reads of any form. */
const MAX_BYTES = 56 * 1024

/**
 * Makes a GET of a POST to the authorization endpoint: the parameters of its form, and none of its
 * URL. SMART asks for both. The engine takes POST only with cookies for requests from other sites
 * (`SameSite=None`), which browsers refuse on plain http, and which nothing here needs.
 *
 * `false` if the form is longer than 56 KiB; then nothing was changed.
 *
 * @see SMART 2.2, app-launch: authorize-post; OpenID Connect Core §3.1.2.1
 */
export async function postAsGet(request: IncomingMessage): Promise<boolean> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length
    if (length > MAX_BYTES) return false
    chunks.push(chunk)
  }
  const { headers } = request
  const isForm = /^application\/x-www-form-urlencoded\b/i.test(headers['content-type'] ?? '')
  const path = (request.url ?? '').split('?', 1)[0]
  const form = isForm ? Buffer.concat(chunks).toString('utf8') : ''
  request.method = 'GET'
  request.url = form === '' ? path : `${path}?${form}`
  for (const name of ['content-type', 'content-length', 'transfer-encoding']) delete headers[name]
  return true
}
