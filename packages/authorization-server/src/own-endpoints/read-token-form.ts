import type { IncomingMessage } from 'node:http'
import { type FormPair, parseForm } from '@scopegate/http'

/** More than any token and assertion need. */
const MAX_BYTES = 64 * 1024
const MAX_PARAMETERS = 50

export interface ReadForm {
  readonly token: string
  /** `token_type_hint` */
  readonly hint?: string
  readonly others: readonly FormPair[]
}

export type TokenForm =
  | ({ readonly ok: true } & ReadForm)
  | { readonly ok: false; readonly status: 400 | 413; readonly why: string }

/**
 * Reads the form of a request that is about a token: `token` once, and nothing twice.
 *
 * @see RFC 7662 §2.1; RFC 7009 §2.1
 */
export async function readTokenForm(request: IncomingMessage): Promise<TokenForm> {
  const refuse = (why: string, status: 400 | 413 = 400): TokenForm => ({ ok: false, status, why })
  const [type = ''] = (request.headers['content-type'] ?? '').split(';', 1)
  if (type.trim().toLowerCase() !== 'application/x-www-form-urlencoded') {
    return refuse('the body must be a form: Content-Type application/x-www-form-urlencoded')
  }
  const text = await readText(request)
  if (text === undefined) return refuse(`the body is larger than ${MAX_BYTES} bytes`, 413)
  const form = parseForm(text, MAX_PARAMETERS)
  if (!form.ok) {
    return form.reason === 'too-many'
      ? refuse(`the form has more than ${MAX_PARAMETERS} parameters`)
      : refuse('the form is not well encoded: percent-encode it once, as UTF-8')
  }
  if (form.duplicates.length > 0) return refuse('a parameter comes twice: send each once')
  const valueNamed = (name: string) => form.pairs.find(([found]) => found === name)?.[1]
  const token = valueNamed('token')
  if (token === undefined || token === '') return refuse('the parameter `token` is missing')
  const hint = valueNamed('token_type_hint')
  const others = form.pairs.filter(([name]) => name !== 'token' && name !== 'token_type_hint')
  return { ok: true, token, ...(hint === undefined ? {} : { hint }), others }
}

async function readText(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    bytes += (chunk as Buffer).length
    if (bytes > MAX_BYTES) return undefined
    chunks.push(chunk as Buffer)
  }
  return Buffer.concat(chunks).toString('utf8')
}
