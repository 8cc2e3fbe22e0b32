/** Lifetimes, each with the reason for its value. */

/** SMART Backend Services: "SHOULD NOT exceed five minutes". */
export const ACCESS_TOKEN_SECONDS = 300

/** How long another process may go on with keys that it has read. */
export const SIGNING_KEY_REFRESH_SECONDS = 30

/** Between two runs that forget expired assertions. */
export const CLEANUP_SECONDS = 60
