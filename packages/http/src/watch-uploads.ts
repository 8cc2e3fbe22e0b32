import type { IncomingMessage } from 'node:http'

/** Less than that is no upload but a way to hold a connection. */
const LEAST_BYTES_PER_SECOND = 1024
const CHECK_MS = 5000

interface Upload {
  readonly startedMs: number
  readonly bytesBefore: number
}

/**
 * Ends requests whose bodies trickle in: after `graceMs`, slower than a kibibyte per second. Time in which the reader made the sender wait counts for the sender.
 */
export function watchUploads(graceMs: number) {
  const uploads = new Map<IncomingMessage, Upload>()
  let timer: NodeJS.Timeout | undefined

  function check(): void {
    const nowMs = performance.now()
    for (const [request, { startedMs, bytesBefore }] of uploads) {
      const lateMs = nowMs - startedMs - graceMs
      if (lateMs <= 0 || request.isPaused() || request.readableLength > 0) continue
      const least = (lateMs / 1000) * LEAST_BYTES_PER_SECOND
      if (request.socket.bytesRead - bytesBefore < least) request.destroy()
    }
  }

  return {
    watch(request: IncomingMessage): void {
      const { headers, socket } = request
      const { 'content-length': length, 'transfer-encoding': encoding } = headers
      if (encoding === undefined && (length === undefined || length === '0')) return
      uploads.set(request, { startedMs: performance.now(), bytesBefore: socket.bytesRead })
      const forget = () => uploads.delete(request)
      request.once('end', forget)
      request.once('close', forget)
      timer ??= setInterval(check, Math.min(CHECK_MS, graceMs)).unref()
    },
    stop: () => clearInterval(timer),
  }
}
