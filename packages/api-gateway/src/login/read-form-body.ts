import type { IncomingMessage } from 'node:http'
import { parseForm } from '@scopegate/http'

const LIMIT_BYTES = 64 * 1024

/** One field of a posted form; `undefined` when it is missing, twice there, or the form too large. */
export async function readFormField(
  request: IncomingMessage,
  name: string,
): Promise<string | undefined> {
  const type = request.headers['content-type']?.split(';', 1)[0]?.trim().toLowerCase()
  if (type !== 'application/x-www-form-urlencoded') return undefined
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.byteLength
    if (bytes > LIMIT_BYTES) return undefined
    chunks.push(chunk)
  }
  const parsed = parseForm(Buffer.concat(chunks).toString('utf8'))
  const values = parsed.ok ? parsed.pairs.filter(([each]) => each === name) : []
  return values.length === 1 ? values[0]![1] : undefined
}
