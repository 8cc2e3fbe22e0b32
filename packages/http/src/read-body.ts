/** Why a body could not be read. */
export type BodyProblem =
  /** More bytes than allowed → 413. */
  | { readonly reason: 'too-large'; readonly limitBytes: number }
  /** `Content-Encoding` other than `identity` → 415. */
  | { readonly reason: 'encoded'; readonly encoding: string }
  /** Not UTF-8 → 400. */
  | { readonly reason: 'not-utf-8' }
  /** The caller went away or took too long → 400; nobody may be listening. */
  | { readonly reason: 'interrupted' }

export type ReadBody =
  | { readonly ok: true; readonly text: string; readonly bytes: number }
  | { readonly ok: false; readonly problem: BodyProblem }

export interface ReadBodyOptions {
  /** The largest body accepted, in bytes. */
  readonly limitBytes: number
}

const SHORT_BYTES = 64 * 1024

/**
 * Reads a whole body as strict UTF-8 and stops as soon as it is larger than allowed: memory held
 * never exceeds the limit by more than one chunk. A leading byte order mark is removed. Does not
 * look at `Content-Type`.
 * @see RFC 9110 §8.4, §15.5.14
 */
export async function readBody(request: Request, options: ReadBodyOptions): Promise<ReadBody> {
  const { limitBytes } = options
  const encoding = request.headers.get('content-encoding')?.trim().toLowerCase()
  if (encoding !== undefined && encoding !== '' && encoding !== 'identity') {
    return refuse({ reason: 'encoded', encoding: encoding.slice(0, 40) })
  }
  const length = request.headers.get('content-length')
  const declared = Number(length ?? '0')
  if (declared > limitBytes) return refuse({ reason: 'too-large', limitBytes })
  // Node reads no more than was declared. A stream for a short body costs more than reading it.
  if (length !== null && declared <= SHORT_BYTES) {
    try {
      const whole = new Uint8Array(await request.arrayBuffer())
      return whole.byteLength > limitBytes
        ? refuse({ reason: 'too-large', limitBytes })
        : decode(whole)
    } catch {
      return refuse({ reason: 'interrupted' })
    }
  }
  if (request.body === null) return { ok: true, text: '', bytes: 0 }

  const chunks: Uint8Array[] = []
  let bytes = 0
  try {
    const reader = request.body.getReader()
    for (;;) {
      const { done, value } = await reader.read()
      if (done) break
      bytes += value.byteLength
      if (bytes > limitBytes) {
        await reader.cancel().catch(() => undefined)
        return refuse({ reason: 'too-large', limitBytes })
      }
      chunks.push(value)
    }
  } catch {
    return refuse({ reason: 'interrupted' })
  }
  return decode(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, bytes))
}

function decode(whole: Uint8Array): ReadBody {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(whole)
    return { ok: true, text, bytes: whole.byteLength }
  } catch {
    return refuse({ reason: 'not-utf-8' })
  }
}

function refuse(problem: BodyProblem): ReadBody {
  return { ok: false, problem }
}
