import type { TokenFailure } from '@scopegate/oauth-model'

/** What goes wrong before a provider is asked. */
function failure(
  kind: TokenFailure['kind'],
  code: string,
  cause: string,
  fix: string,
): TokenFailure {
  return { kind, code, cause, fix, wasSent: false }
}

export function unknownConnection(names: readonly string[]): TokenFailure {
  const known = names.length === 0 ? 'none' : names.map((name) => `\`${name}\``).join(', ')
  return failure(
    'configuration',
    'connection_unknown',
    'there is no connection of that name',
    `add it to \`connections\`, or use one of those that are there: ${known}`,
  )
}

export function scopesNotConfigured(scopes: readonly string[]): TokenFailure {
  return failure(
    'configuration',
    'scope_not_configured',
    `the connection is not for ${scopes.map((scope) => `\`${scope}\``).join(', ')}`,
    'add it to the scopes of the connection, or ask for fewer',
  )
}

export function notSignedIn(name: string, subject?: string): TokenFailure {
  const cause =
    subject === undefined
      ? 'nobody has signed in for this connection yet, so there is no refresh token'
      : `tokens of this connection are for whoever signed in, not for a \`subject\` that is asked for`
  return failure(
    'sign-in',
    'sign_in_needed',
    cause,
    subject === undefined
      ? `sign in once: scopegate connection authorize ${name}`
      : 'ask without `subject`; a connection of its own serves another user',
  )
}

export function refreshTokenLost(): TokenFailure {
  return {
    ...failure(
      'sign-in',
      'refresh_token_lost',
      'a process ended after it had sent the refresh token and before the answer was stored: the provider may have replaced it, and using a replaced one again ends the sign-in',
      'sign in again; or, if the provider certainly never saw the request, retry the connection',
    ),
    wasSent: true,
  }
}

export function failureOfStore(cause: string): TokenFailure {
  return failure(
    'temporary',
    'store_unavailable',
    cause,
    'passes by itself; if it lasts, look at the database',
  )
}

export function timedOut(limitMs: number): TokenFailure {
  return {
    ...failure(
      'network',
      'token_request_timeout',
      `the token endpoint did not answer within ${Math.round(limitMs / 100) / 10} s`,
      'look whether the token endpoint can be reached from here: name, route, firewall, proxy',
    ),
    wasSent: true,
  }
}

export function brokenRequester(error: unknown): TokenFailure {
  const text = error instanceof Error ? error.name : 'unknown'
  return {
    ...failure(
      'temporary',
      'request_failed',
      `the token request ended in an error of ours (${text})`,
      'this is a defect: please report it',
    ),
    wasSent: true,
  }
}

export function waitedTooLong(waitMs: number): TokenFailure {
  return failure(
    'temporary',
    'token_wait_timeout',
    `no token came within ${Math.round(waitMs / 1000)} s: it is still being fetched`,
    'try again; if it lasts, the token endpoint is slow: look at its answer times',
  )
}

export function deadOnArrival(skewSeconds: number): TokenFailure {
  const ahead = skewSeconds < 0 ? 'ahead of' : 'behind'
  return {
    ...failure(
      'clock',
      'token_expired_on_arrival',
      `the token had expired when it came (this clock is ${Math.abs(Math.round(skewSeconds))} s ${ahead} the provider's)`,
      'set the clocks by NTP; if they agree, the provider hands out old tokens',
    ),
    wasSent: true,
  }
}

export function lifeTooShort(seconds: number, wantedSeconds: number): TokenFailure {
  return failure(
    'configuration',
    'token_life_too_short',
    `${wantedSeconds} s of life are demanded, and the tokens of this connection have ${Math.floor(seconds)} s`,
    'demand less, or let the provider issue tokens that live longer',
  )
}

export function renewedJustNow(
  leftSeconds: number,
  wantedSeconds: number,
  retryAfterSeconds: number,
): TokenFailure {
  return {
    ...failure(
      'temporary',
      'token_life_too_short',
      `${wantedSeconds} s of life are demanded, and the token has ${Math.floor(leftSeconds)} s: it was only issued now, and is not renewed again for the sake of some seconds`,
      `demand less than all of its life, or ask again in ${retryAfterSeconds} s`,
    ),
    retryAfterSeconds,
  }
}
