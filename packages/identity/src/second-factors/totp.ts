import { Secret, TOTP } from 'otpauth'

const PERIOD_SECONDS = 30

/** A new shared secret: 160 bits, base32. @see RFC 4226 §4 R6 */
export function issueTotpSecret(): string {
  return new Secret({ size: 20 }).base32
}

/** For the QR code of an authenticator app. SHA-1, six digits, 30 s: the only ones that every app knows. */
export function totpUri(secret: string, { issuer, label }: { issuer: string; label: string }) {
  return totpOf(secret, issuer, label).toString()
}

/**
 * The time step that `code` belongs to, if it is one of now or of the step before or after;
 * `undefined` for any other. That it was not used before is the caller's to see.
 *
 * @see RFC 6238 §5.2
 */
export function findTotpStep(secret: string, code: string, nowMs: number): number | undefined {
  const digits = code.replaceAll(/\s/g, '')
  if (!/^\d{6}$/.test(digits)) return undefined
  const delta = totpOf(secret).validate({ token: digits, timestamp: nowMs, window: 1 })
  return delta === null ? undefined : Math.floor(nowMs / 1000 / PERIOD_SECONDS) + delta
}

function totpOf(secret: string, issuer = '', label = ''): TOTP {
  return new TOTP({
    issuer,
    label,
    secret: Secret.fromBase32(secret),
    algorithm: 'SHA1',
    digits: 6,
    period: PERIOD_SECONDS,
  })
}
