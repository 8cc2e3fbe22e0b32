import type { ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'

/** What was answered last on each connection: node reads on while an answer is still to come. */
export interface LastAnswers {
  /**
   * Whether a request that came on a connection is to be served. What stands behind a request that
   * was answered with `Connection: close` is not: whoever sent it may have framed it otherwise, and
   * nobody would get the answer. Remembers the answer of those that are.
   *
   * @see RFC 9112 §9.6
   */
  takes(socket: Duplex, response: ServerResponse): boolean
  /** Whether an answer is being sent at this moment: other bytes would become a part of it. */
  isUnderWay(socket: Duplex): boolean
}

export function createLastAnswers(): LastAnswers {
  const answers = new WeakMap<Duplex, ServerResponse>()
  return {
    takes(socket, response) {
      const last = answers.get(socket)
      if (last?.headersSent && last.getHeader('Connection') === 'close') return false
      answers.set(socket, response)
      return true
    },
    isUnderWay(socket) {
      const last = answers.get(socket)
      return last?.headersSent === true && !last.writableFinished
    },
  }
}
