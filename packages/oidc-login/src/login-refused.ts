import type { Check } from '@scopegate/checks'

/** The checks of one sign-in at a provider, in their order. */
export const LOGIN_CHECKS = [
  'provider',
  'state',
  'response',
  'code',
  'id_token',
  'tenant',
  'userinfo',
] as const

export type LoginCheckName = (typeof LOGIN_CHECKS)[number]

interface ReasonRow {
  readonly check: LoginCheckName
  readonly status: 400 | 403 | 404 | 502 | 503
  /** For the person who signs in: says nothing about the configuration. */
  readonly text: string
  /** For the operator. */
  readonly fix: string
}

const START_AGAIN = 'The sign-in was not completed. Start again.'
const NOT_TRUSTED = 'The answer of the sign-in service could not be trusted. Start again.'
const ID_TOKEN = { check: 'id_token', status: 502, text: NOT_TRUSTED } as const

/** Every way in which a sign-in at a provider can fail. */
export const LOGIN_REASONS = {
  provider_unknown: {
    check: 'provider',
    status: 404,
    text: 'This way of signing in does not exist.',
    fix: 'name the provider under `login.providers`, or correct the link',
  },
  return_to_foreign: {
    check: 'provider',
    status: 400,
    text: 'The link leads elsewhere and was not followed.',
    fix: 'send people back to a path of this server, such as `/account`',
  },
  provider_unavailable: {
    check: 'provider',
    status: 503,
    text: 'The sign-in service cannot be reached at the moment. Try again in a minute.',
    fix: 'see whether this server can reach the provider (name, route, proxy, certificate), and whether the provider runs',
  },
  discovery_mismatch: {
    check: 'provider',
    status: 502,
    text: 'Signing in there is not set up correctly. Tell the operator of this server.',
    fix: 'write the issuer into the configuration exactly as the discovery document spells it, if that document is the one you mean',
  },
  discovery_unusable: {
    check: 'provider',
    status: 502,
    text: 'Signing in there is not set up correctly. Tell the operator of this server.',
    fix: 'open `<issuer>/.well-known/openid-configuration`: it must be JSON with https endpoints, a key set among them',
  },
  state_missing: {
    check: 'state',
    status: 400,
    text: 'This browser has not started that sign-in, or its cookie is gone. Start again.',
    fix: 'sign-ins are finished in the browser that started them, under the same host name as in `server.url`, within ten minutes',
  },
  state_unreadable: {
    check: 'state',
    status: 400,
    text: START_AGAIN,
    fix: 'the cookie was altered, or sealed under another master key: every process needs the same master key',
  },
  state_expired: {
    check: 'state',
    status: 400,
    text: 'The sign-in took too long. Start again.',
    fix: 'sign-ins are finished within ten minutes',
  },
  state_of_other_provider: {
    check: 'state',
    status: 400,
    text: START_AGAIN,
    fix: 'an answer came back at the address of another provider than the one that was asked: a mix-up, tried or by two tabs',
  },
  state_mismatch: {
    check: 'state',
    status: 400,
    text: START_AGAIN,
    fix: 'the answer belongs to another sign-in than the cookie: two tabs, or a link that somebody else made',
  },
  state_used: {
    check: 'state',
    status: 400,
    text: 'This sign-in was finished already. Start again.',
    fix: 'the address of the answer was opened twice (reload, back button); each sign-in works once',
  },
  issuer_mismatch: {
    check: 'response',
    status: 400,
    text: NOT_TRUSTED,
    fix: 'the answer names another issuer than the one that was asked: a mix-up; register a redirect URI of its own with each provider',
  },
  issuer_missing: {
    check: 'response',
    status: 400,
    text: NOT_TRUSTED,
    fix: 'the provider does not say `iss` in its answer: give it a callback address of its own',
  },
  provider_said_no: {
    check: 'response',
    status: 403,
    text: 'The sign-in service did not sign you in.',
    fix: 'see the error of the provider',
  },
  code_missing: {
    check: 'response',
    status: 400,
    text: START_AGAIN,
    fix: 'the answer holds neither `code` nor `error`',
  },
  client_refused: {
    check: 'code',
    status: 502,
    text: 'Signing in there is not set up correctly. Tell the operator of this server.',
    fix: 'the provider does not accept the client: check `clientId`, and the secret or the key',
  },
  code_refused: {
    check: 'code',
    status: 400,
    text: START_AGAIN,
    fix: 'the provider does not accept the code: used before, too old, or the redirect URI differs',
  },
  answer_malformed: {
    check: 'code',
    status: 502,
    text: NOT_TRUSTED,
    fix: 'the token endpoint answered with something else than RFC 6749 §5.1: look for a proxy in between',
  },
  id_token_missing: {
    ...ID_TOKEN,
    fix: 'the provider sent no ID token: request the scope `openid`',
  },
  id_token_malformed: {
    ...ID_TOKEN,
    fix: 'the ID token lacks a claim, or a claim has the wrong type',
  },
  id_token_algorithm: {
    ...ID_TOKEN,
    fix: 'let the provider sign ID tokens with an asymmetric algorithm that its metadata lists, such as RS256',
  },
  id_token_key: {
    ...ID_TOKEN,
    fix: 'no key of the provider fits the ID token: see its key set, and whether it changed keys a moment ago',
  },
  id_token_signature: {
    ...ID_TOKEN,
    fix: 'the ID token was not signed by the provider, or was altered on its way',
  },
  id_token_issuer: {
    ...ID_TOKEN,
    fix: 'the ID token names another issuer: check the issuer in the configuration and the host name that the provider is reached by',
  },
  id_token_audience: {
    ...ID_TOKEN,
    fix: 'the ID token is for another client: check `clientId`',
  },
  id_token_nonce: {
    ...ID_TOKEN,
    fix: 'the ID token belongs to another sign-in: injected, or cached by something in between',
  },
  id_token_times: {
    ...ID_TOKEN,
    fix: 'the ID token is expired or not valid yet: compare the clocks of both servers',
  },
  sign_in_not_fresh: {
    check: 'id_token',
    status: 403,
    text: 'The sign-in service did not ask you to sign in again. Sign out there, and start again.',
    fix: 'the provider ignored `prompt=login`: its `auth_time` is older than the request',
  },
  tenant_not_allowed: {
    check: 'tenant',
    status: 403,
    text: 'Accounts of your organisation cannot sign in here.',
    fix: 'add the directory to `tenants`, if its people may sign in',
  },
  hosted_domain_not_allowed: {
    check: 'tenant',
    status: 403,
    text: 'Accounts of your organisation cannot sign in here.',
    fix: 'set `hostedDomain` to the Workspace domain whose people may sign in, or remove it',
  },
  userinfo_refused: {
    check: 'userinfo',
    status: 502,
    text: NOT_TRUSTED,
    fix: 'the userinfo endpoint refused the access token, or speaks of another user than the ID token',
  },
} as const satisfies Record<string, ReasonRow>

export type LoginReason = keyof typeof LOGIN_REASONS

export interface LoginRefusalDetail {
  readonly provider?: string
  readonly expected?: string
  readonly got?: string
  /** Replaces the fix of the reason where a more exact one is known. */
  readonly fix?: string
  /** Where to go on, when the state could be read: a path of this server. */
  readonly returnTo?: string
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
    this.fix = detail.fix ?? LOGIN_REASONS[reason].fix
    this.returnTo = detail.returnTo
  }

  /** The same, with the provider and where to go on. */
  at(provider: string, returnTo: string): LoginRefused {
    const { reason, expected, got, fix, cause } = this
    return new LoginRefused(reason, {
      provider,
      returnTo,
      fix,
      ...(expected === undefined ? {} : { expected }),
      ...(got === undefined ? {} : { got }),
      cause,
    })
  }

  get status(): number {
    return LOGIN_REASONS[this.reason].status
  }

  get text(): string {
    return LOGIN_REASONS[this.reason].text
  }

  /** In their order; those after the failed one were not made. */
  get checks(): readonly Check<LoginCheckName>[] {
    const failed = LOGIN_CHECKS.indexOf(LOGIN_REASONS[this.reason].check)
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
