import { readFileSync } from 'node:fs'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'

/**
 * Makes this process trust a CA besides those it trusts already, for `fetch` and `https` alike. A
 * local CA may speak for its server's names only, so this opens no door to others. A file that
 * cannot be read is left out: the connection then says that the certificate is not trusted.
 */
export function trustCa(caFile: string): void {
  let cert: string
  try {
    cert = readFileSync(caFile, 'utf8')
  } catch {
    return
  }
  setDefaultCACertificates([...getCACertificates('default'), cert])
}
