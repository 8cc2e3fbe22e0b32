/** A line of a stream, numbered from 1; `too-long` lines are skipped over without being kept. */
export type Line =
  | { readonly number: number; readonly text: string }
  | { readonly number: number; readonly problem: 'too-long' | 'not-utf-8' }

const LINE_FEED = 0x0a

/**
 * Splits bytes into lines as they arrive, holding one line at a time. A last line without a line
 * feed counts; empty lines are left out but numbered.
 */
export async function* readLines(
  body: ReadableStream<Uint8Array>,
  limitBytes: number,
): AsyncGenerator<Line> {
  let number = 0
  let parts: Uint8Array[] = []
  let bytes = 0

  function finish(): Line | undefined {
    number += 1
    const line = bytes > limitBytes ? undefined : Buffer.concat(parts, bytes)
    parts = []
    bytes = 0
    if (line === undefined) return { number, problem: 'too-long' }
    try {
      const text = new TextDecoder('utf-8', { fatal: true }).decode(line).trim()
      return text === '' ? undefined : { number, text }
    } catch {
      return { number, problem: 'not-utf-8' }
    }
  }

  for await (const chunk of body) {
    let start = 0
    for (let end = chunk.indexOf(LINE_FEED); end !== -1; end = chunk.indexOf(LINE_FEED, start)) {
      keep(chunk.subarray(start, end))
      start = end + 1
      const line = finish()
      if (line) yield line
    }
    keep(chunk.subarray(start))
  }
  if (bytes > 0) {
    const line = finish()
    if (line) yield line
  }

  function keep(part: Uint8Array): void {
    bytes += part.length
    if (bytes <= limitBytes) parts.push(part)
    else parts = []
  }
}
