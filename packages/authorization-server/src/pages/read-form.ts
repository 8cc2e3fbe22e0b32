import type { IncomingMessage } from 'node:http'
import { parseForm } from '@scopegate/http'

/** A posted form. Names that came twice have several values. */
export interface Form {
  /** The only value; `undefined` when missing or sent twice. */
  one(name: string): string | undefined
  all(name: string): readonly string[]
}

const LIMIT_BYTES = 256 * 1024
const EMPTY: Form = { one: () => undefined, all: () => [] }

/** Reads the form of a request; what is too large or no form at all is an empty one. */
export async function readForm(request: IncomingMessage): Promise<Form> {
  const type = request.headers['content-type']?.split(';', 1)[0]?.trim().toLowerCase()
  if (type !== 'application/x-www-form-urlencoded') return EMPTY
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.byteLength
    if (bytes > LIMIT_BYTES) return EMPTY
    chunks.push(chunk)
  }
  const parsed = parseForm(Buffer.concat(chunks).toString('utf8'))
  if (!parsed.ok) return EMPTY
  const all = (name: string) =>
    parsed.pairs.filter(([each]) => each === name).map(([, value]) => value)
  return {
    all,
    one: (name) => {
      const [only, ...more] = all(name)
      return more.length === 0 ? only : undefined
    },
  }
}
