import {
  LOGIN_CATALOGUE,
  LOGIN_CHECKS,
  type LoginCheck,
  type LoginReasonCode,
} from '@scopegate/checks'

/** A row of the catalogue of refusals. */
export type LoginReason = LoginReasonCode

export interface LoginRefusalDetail {
  readonly provider?: string
  readonly expected?: string
  readonly got?: string
  /** Replaces the fix of the reason where a more exact one is known. */
  readonly fix?: string
  /** Where to go on, when the state could be read: a path of this server. */
  readonly returnTo?: string
  readonly durationMs?: number
  readonly cause?: unknown
}

/**
 * A sign-in at a provider that did not work. `text` and `status` are for the page; `message`,
 * `expected`, `got`, `fix` and `checks` for the operator. Holds no token, code, secret or claim of
 * a person.
 */
export class LoginRefused extends Error {
  override readonly name = 'LoginRefused'
  readonly reason: LoginReason
  readonly provider: string | undefined
  readonly expected: string | undefined
  readonly got: string | undefined
  readonly fix: string
  readonly returnTo: string | undefined
  /** How long it took until then. */
  readonly durationMs: number

  constructor(reason: LoginReason, detail: LoginRefusalDetail = {}) {
    const said = [
      detail.expected === undefined ? '' : `expected ${detail.expected}`,
      detail.got === undefined ? '' : `got ${detail.got}`,
    ].filter((part) => part !== '')
    super(
      said.length === 0 ? reason : `${reason}: ${said.join(', ')}`,
      detail.cause === undefined ? {} : { cause: detail.cause },
    )
    this.reason = reason
    this.provider = detail.provider
    this.expected = detail.expected
    this.got = detail.got
    this.fix = detail.fix ?? LOGIN_CATALOGUE[reason].fix
    this.returnTo = detail.returnTo
    this.durationMs = detail.durationMs ?? 0
  }

  /** The same, with the provider, where to go on, and how long it took. */
  at(provider: string, returnTo: string | undefined, durationMs: number): LoginRefused {
    const { reason, expected, got, fix, cause } = this
    return new LoginRefused(reason, {
      provider,
      durationMs,
      fix,
      ...(returnTo === undefined ? {} : { returnTo }),
      ...(expected === undefined ? {} : { expected }),
      ...(got === undefined ? {} : { got }),
      cause,
    })
  }

  get status(): number {
    return LOGIN_CATALOGUE[this.reason].status
  }

  get text(): string {
    return LOGIN_CATALOGUE[this.reason].text
  }

  /** In their order; those after the failed one were not made. */
  get checks(): readonly LoginCheck[] {
    const failed = LOGIN_CHECKS.indexOf(LOGIN_CATALOGUE[this.reason].check)
    return LOGIN_CHECKS.map((name, index) => {
      if (index !== failed) return { name, outcome: index < failed ? 'pass' : 'skipped' }
      return {
        name,
        outcome: 'fail',
        code: this.reason,
        ...(this.expected === undefined ? {} : { expected: this.expected }),
        ...(this.got === undefined ? {} : { got: this.got }),
        fix: this.fix,
      }
    })
  }
}

/** A text of the provider as it may be shown to the operator: bounded, printable, no line breaks. */
export function shownText(text: string): string {
  return text.replaceAll(/[^\x20-\x7e]+/g, ' ').slice(0, 300)
}
