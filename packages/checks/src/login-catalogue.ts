import type { LoginCheckName } from './check.ts'

/** One way in which signing in at a provider can fail. */
export interface LoginReasonRow {
  readonly check: LoginCheckName
  readonly title: string
  /** Of the page. */
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
export const LOGIN_CATALOGUE = {
  provider_unknown: {
    title: 'Unknown provider',
    check: 'provider',
    status: 404,
    text: 'This way of signing in does not exist.',
    fix: 'name the provider under `login.providers`, or correct the link',
  },
  return_to_foreign: {
    title: 'Way back leads elsewhere',
    check: 'provider',
    status: 400,
    text: 'The link leads elsewhere and was not followed.',
    fix: 'send people back to a path of this server, such as `/account`',
  },
  provider_unavailable: {
    title: 'Provider cannot be reached',
    check: 'provider',
    status: 503,
    text: 'The sign-in service cannot be reached at the moment. Try again in a minute.',
    fix: 'see whether this server can reach the provider (name, route, proxy, certificate), and whether the provider runs',
  },
  discovery_mismatch: {
    title: 'Provider names another issuer',
    check: 'provider',
    status: 502,
    text: 'Signing in there is not set up correctly. Tell the operator of this server.',
    fix: 'write the issuer into the configuration exactly as the discovery document spells it, if that document is the one you mean',
  },
  discovery_unusable: {
    title: 'Metadata cannot be used',
    check: 'provider',
    status: 502,
    text: 'Signing in there is not set up correctly. Tell the operator of this server.',
    fix: 'open `<issuer>/.well-known/openid-configuration`: it must be JSON with https endpoints, a key set among them',
  },
  state_missing: {
    title: 'No sign-in was begun in this browser',
    check: 'state',
    status: 400,
    text: 'This browser has not started that sign-in, or its cookie is gone. Start again.',
    fix: 'sign-ins are finished in the browser that started them, under the same host name as in `server.url`, within ten minutes',
  },
  state_unreadable: {
    title: 'State cannot be read',
    check: 'state',
    status: 400,
    text: START_AGAIN,
    fix: 'the cookie was altered, or sealed under another master key: every process needs the same master key',
  },
  state_expired: {
    title: 'Sign-in took too long',
    check: 'state',
    status: 400,
    text: 'The sign-in took too long. Start again.',
    fix: 'sign-ins are finished within ten minutes',
  },
  state_of_other_provider: {
    title: 'Answer of another provider',
    check: 'state',
    status: 400,
    text: START_AGAIN,
    fix: 'an answer came back at the address of another provider than the one that was asked: a mix-up, tried or by two tabs',
  },
  state_mismatch: {
    title: 'Answer of another sign-in',
    check: 'state',
    status: 400,
    text: START_AGAIN,
    fix: 'the answer belongs to another sign-in than the cookie: two tabs, or a link that somebody else made',
  },
  state_used: {
    title: 'Sign-in was finished before',
    check: 'state',
    status: 400,
    text: 'This sign-in was finished already. Start again.',
    fix: 'the address of the answer was opened twice (reload, back button); each sign-in works once',
  },
  answer_issuer_mismatch: {
    title: 'Answer names another issuer',
    check: 'response',
    status: 400,
    text: NOT_TRUSTED,
    fix: 'the answer names another issuer than the one that was asked: a mix-up; register a redirect URI of its own with each provider',
  },
  answer_issuer_missing: {
    title: 'Answer names no issuer',
    check: 'response',
    status: 400,
    text: NOT_TRUSTED,
    fix: 'the provider does not say `iss` in its answer: give it a callback address of its own',
  },
  provider_said_no: {
    title: 'Provider refused',
    check: 'response',
    status: 403,
    text: 'The sign-in service did not sign you in.',
    fix: 'see the error of the provider',
  },
  code_missing: {
    title: 'Answer without code',
    check: 'response',
    status: 400,
    text: START_AGAIN,
    fix: 'the answer holds neither `code` nor `error`',
  },
  client_refused: {
    title: 'Client is not accepted',
    check: 'code',
    status: 502,
    text: 'Signing in there is not set up correctly. Tell the operator of this server.',
    fix: 'the provider does not accept the client: check `clientId`, and the secret or the key',
  },
  upstream_code_refused: {
    title: 'Code is not accepted',
    check: 'code',
    status: 400,
    text: START_AGAIN,
    fix: 'the provider does not accept the code: used before, too old, or the redirect URI differs',
  },
  answer_malformed: {
    title: 'Answer cannot be read',
    check: 'code',
    status: 502,
    text: NOT_TRUSTED,
    fix: 'the token endpoint answered with something else than RFC 6749 §5.1: look for a proxy in between',
  },
  id_token_missing: {
    title: 'No ID token',
    ...ID_TOKEN,
    fix: 'the provider sent no ID token: request the scope `openid`',
  },
  id_token_malformed: {
    title: 'ID token cannot be read',
    ...ID_TOKEN,
    fix: 'the ID token lacks a claim, or a claim has the wrong type',
  },
  id_token_algorithm: {
    title: 'Algorithm is not accepted',
    ...ID_TOKEN,
    fix: 'let the provider sign ID tokens with an asymmetric algorithm that its metadata lists, such as RS256',
  },
  id_token_key: {
    title: 'No key fits the ID token',
    ...ID_TOKEN,
    fix: 'no key of the provider fits the ID token: see its key set, and whether it changed keys a moment ago',
  },
  id_token_signature: {
    title: 'Signature is wrong',
    ...ID_TOKEN,
    fix: 'the ID token was not signed by the provider, or was altered on its way',
  },
  id_token_issuer: {
    title: 'ID token of another issuer',
    ...ID_TOKEN,
    fix: 'the ID token names another issuer: check the issuer in the configuration and the host name that the provider is reached by',
  },
  id_token_audience: {
    title: 'ID token for another client',
    ...ID_TOKEN,
    fix: 'the ID token is for another client: check `clientId`',
  },
  id_token_nonce: {
    title: 'ID token of another sign-in',
    ...ID_TOKEN,
    fix: 'the ID token belongs to another sign-in: injected, or cached by something in between',
  },
  id_token_times: {
    title: 'ID token is not valid now',
    ...ID_TOKEN,
    fix: 'the ID token is expired or not valid yet: compare the clocks of both servers',
  },
  sign_in_not_fresh: {
    title: 'Nobody signed in anew',
    check: 'id_token',
    status: 403,
    text: 'The sign-in service did not ask you to sign in again. Sign out there, and start again.',
    fix: 'the provider ignored `prompt=login`: its `auth_time` is older than the request',
  },
  tenant_not_allowed: {
    title: 'Directory may not sign in',
    check: 'tenant',
    status: 403,
    text: 'Accounts of your organisation cannot sign in here.',
    fix: 'add the directory to `tenants`, if its people may sign in',
  },
  hosted_domain_not_allowed: {
    title: 'Domain may not sign in',
    check: 'tenant',
    status: 403,
    text: 'Accounts of your organisation cannot sign in here.',
    fix: 'set `hostedDomain` to the Workspace domain whose people may sign in, or remove it',
  },
  userinfo_refused: {
    title: 'Userinfo cannot be used',
    check: 'userinfo',
    status: 502,
    text: NOT_TRUSTED,
    fix: 'the userinfo endpoint refused the access token, or speaks of another user than the ID token',
  },
} as const satisfies Record<string, LoginReasonRow>

export type LoginReasonCode = keyof typeof LOGIN_CATALOGUE

/** The row of `code`; `undefined` if there is none. */
export function findLoginReason(code: string | undefined): LoginReasonRow | undefined {
  return code !== undefined && Object.hasOwn(LOGIN_CATALOGUE, code)
    ? LOGIN_CATALOGUE[code as LoginReasonCode]
    : undefined
}
