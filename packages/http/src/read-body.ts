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
  const declared = Number(request.headers.get('content-length') ?? '0')
  if (declared > limitBytes) return refuse({ reason: 'too-large', limitBytes })
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
  try {
    const whole = chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, bytes)
    return { ok: true, text: new TextDecoder('utf-8', { fatal: true }).decode(whole), bytes }
  } catch {
    return refuse({ reason: 'not-utf-8' })
  }
}

function refuse(problem: BodyProblem): ReadBody {
  return { ok: false, problem }
}
