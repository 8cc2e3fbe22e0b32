import type { ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'

/** What was answered last on each connection: node reads on while an answer is still to come. */
export interface LastAnswers {
  /**
   * Whether the connection was told to end. What stands behind a request that was answered with
   * `Connection: close` is not served: whoever sent it may have framed it otherwise, and nobody
   * would get the answer.
   *
   * @see RFC 9112 §9.6
   */
  isOver(socket: Duplex): boolean
  remember(socket: Duplex, response: ServerResponse): void
  /** Whether an answer is being sent at this moment: other bytes would become a part of it. */
  isUnderWay(socket: Duplex): boolean
}

export function createLastAnswers(): LastAnswers {
  const answers = new WeakMap<Duplex, ServerResponse>()
  return {
    isOver(socket) {
      const last = answers.get(socket)
      return last?.headersSent === true && last.getHeader('Connection') === 'close'
    },
    remember: (socket, response) => void answers.set(socket, response),
    isUnderWay(socket) {
      const last = answers.get(socket)
      return last?.headersSent === true && !last.writableFinished
    },
  }
}
