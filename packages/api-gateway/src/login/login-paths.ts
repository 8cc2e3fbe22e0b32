/** Absolute paths that an API's login answers itself. */
export interface LoginPaths {
  /** Everything below. */
  readonly all: string
  /** GET: begins a sign-in; `return_to` is where to go on. */
  readonly login: string
  readonly callback: string
  /** GET: asks. POST: signs out. */
  readonly logout: string
  readonly loggedOut: string
  /** POST: the provider tells of a logout. */
  readonly backchannelLogout: string
  /** GET: who is signed in, for scripts of the app. */
  readonly session: string
}

/** @param path of the API, no final slash */
export function loginPaths(path: string): LoginPaths {
  const base = `${path}/.scopegate`
  return {
    all: `${base}/*`,
    login: `${base}/login`,
    callback: `${base}/callback`,
    logout: `${base}/logout`,
    loggedOut: `${base}/logged-out`,
    backchannelLogout: `${base}/backchannel-logout`,
    session: `${base}/session`,
  }
}
