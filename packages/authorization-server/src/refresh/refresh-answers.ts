import { setTimeout as sleep } from 'node:timers/promises'
import type { Sealer } from '@scopegate/secrets'
import { errors } from 'oidc-provider'
import type { Pool } from 'pg'
import { durability, hashOf } from '../engine/model-store.ts'

/** The answer to one refresh, for whoever repeats the request. */
export interface RefreshAnswer {
  readonly body: Readonly<Record<string, unknown>>
  readonly clientId: string
  /** Thumbprint of the DPoP key that the tokens are bound to. */
  readonly dpopKey?: string
}

/**
 * A refresh token works once, but its answer may be lost on the way, or two tabs may refresh at the
 * same moment. Within the grace window the same client gets the same answer again.
 */
export interface RefreshAnswers {
  /** Before the answer is sent. */
  keep(refreshToken: string, answer: RefreshAnswer): Promise<void>
  /**
   * The answer, for a refresh token that was used already; waits for a request that is being
   * answered, on this server or another. `undefined` after the grace window.
   */
  find(refreshToken: string): Promise<RefreshAnswer | undefined>
}

export interface RefreshAnswersDeps {
  readonly pool: Pool
  readonly sealer: Sealer
  /** 0: no grace. */
  readonly graceSeconds: number
}

/** Not an error: the answer that was given before, thrown past the engine. */
export class AnsweredBefore extends errors.OIDCProviderError {
  readonly body: RefreshAnswer['body']

  constructor(body: RefreshAnswer['body']) {
    super(400, 'invalid_grant')
    this.body = body
  }
}

const POLL_MS = 50

interface Row {
  answer: string | null
  in_window: boolean
}

export function createRefreshAnswers({
  pool,
  sealer,
  graceSeconds,
}: RefreshAnswersDeps): RefreshAnswers {
  const placeOf = (id: Buffer) => `refresh_answer:${id.toString('hex')}`

  return {
    async keep(refreshToken, answer) {
      if (graceSeconds === 0) return
      const id = hashOf(refreshToken)
      await pool.query({
        name: 'refresh-answer-keep',
        text: `INSERT INTO refresh_answer (id, answer, expires_at)
               SELECT $1::bytea, $2::text, now() + make_interval(secs => $3)
                WHERE ${durability("'off'")}
               ON CONFLICT (id) DO NOTHING`,
        values: [id, sealer.seal(JSON.stringify(answer), placeOf(id)), graceSeconds],
      })
    },

    async find(refreshToken) {
      const id = hashOf(refreshToken)
      for (;;) {
        const { rows } = await pool.query<Row>(
          `SELECT a.answer, m.consumed_at > now() - make_interval(secs => $2) AS in_window
             FROM engine_model m
             LEFT JOIN refresh_answer a ON a.id = m.id AND a.expires_at > now()
            WHERE m.model = 'RefreshToken' AND m.id = $1`,
          [id, graceSeconds],
        )
        const [row] = rows
        if (row === undefined) return undefined
        if (row.answer !== null) {
          return JSON.parse(sealer.unseal(row.answer, placeOf(id)).toString('utf8'))
        }
        if (!row.in_window) return undefined
        await sleep(POLL_MS)
      }
    },
  }
}
