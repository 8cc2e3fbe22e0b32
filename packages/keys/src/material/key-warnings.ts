import type { KeyCertificate } from './key-material.ts'

/** Something to look at before it breaks; a value that doctor, metrics and the console show. */
export interface KeyWarning {
  readonly kind: 'certificate_expired' | 'certificate_expires_soon' | 'certificate_not_yet_valid'
  /** Of the certificate, in epoch seconds: its end, or its start. */
  readonly at: number
  readonly message: string
  readonly fix: string
}

export const EXPIRY_WARNING_DAYS = 30

const DAY_SECONDS = 86_400

/** What is to be said about the certificate's times, most pressing first. */
export function findKeyWarnings(
  certificate: Pick<KeyCertificate, 'subject' | 'notBefore' | 'notAfter'> | undefined,
  nowSeconds: number,
  warnDays = EXPIRY_WARNING_DAYS,
): readonly KeyWarning[] {
  if (certificate === undefined) return []
  const { subject, notBefore, notAfter } = certificate
  const fix = 'request a new certificate, and import it: `scopegate key import`'
  if (nowSeconds > notAfter) {
    const message = `the certificate \`${subject}\` expired on ${day(notAfter)}`
    return [{ kind: 'certificate_expired', at: notAfter, message, fix }]
  }
  if (nowSeconds < notBefore) {
    const message = `the certificate \`${subject}\` is not valid before ${day(notBefore)}`
    const wait = 'check the clock of this machine, or wait until then'
    return [{ kind: 'certificate_not_yet_valid', at: notBefore, message, fix: wait }]
  }
  const days = Math.floor((notAfter - nowSeconds) / DAY_SECONDS)
  if (days >= warnDays) return []
  const message = `the certificate \`${subject}\` expires on ${day(notAfter)}, in ${days} days`
  return [{ kind: 'certificate_expires_soon', at: notAfter, message, fix }]
}

function day(epochSeconds: number): string {
  return new Date(epochSeconds * 1000).toISOString().slice(0, 10)
}
