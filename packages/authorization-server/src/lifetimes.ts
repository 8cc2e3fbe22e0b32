/** Lifetimes, each with the reason for its value. */

/** SMART Backend Services: "SHOULD NOT exceed five minutes". */
export const ACCESS_TOKEN_SECONDS = 300

/** SMART App Launch: access tokens of apps SHOULD live at most one hour. */
export const USER_ACCESS_TOKEN_SECONDS = 3600

/** Unused. Each use of a refresh token gives a new one that lives as long again. */
export const REFRESH_TOKEN_SECONDS = 90 * 86_400

/** From the launch: after a year a user allows it again. */
export const OFFLINE_GRANT_SECONDS = 366 * 86_400

/** Longer than any session: refresh tokens of `online_access` end with it. */
export const ONLINE_GRANT_SECONDS = 30 * 86_400

/** What a browser and a busy network need to repeat a refresh whose answer was lost. */
export const REFRESH_GRACE_SECONDS = 10

/** SMART: "about one minute". */
export const CODE_SECONDS = 60

/** From the authorization request to the last click. */
export const INTERACTION_SECONDS = 1800

/** Until the user has typed the code of the device. */
export const DEVICE_CODE_SECONDS = 600

/** ID tokens are read once, at sign-in. */
export const ID_TOKEN_SECONDS = 3600

/** The engine's shadow of a session; who is signed in is the identity session's to say. */
export const ENGINE_SESSION_SECONDS = 86_400

/** How long another process may go on with keys that it has read. */
export const SIGNING_KEY_REFRESH_SECONDS = 30

/** Between two runs that forget expired rows. */
export const CLEANUP_SECONDS = 60
