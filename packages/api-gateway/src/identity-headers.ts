import type { ApiForward, IdentityField } from './api.ts'
import type { ApiCaller } from './api-caller.ts'
import { readClaim } from './read-claim.ts'

/**
 * What the upstream is told of the caller, name and value by turns. A caller without a value gets
 * no header, and no caller none at all.
 */
export function identityHeadersOf(
  caller: ApiCaller,
  forward: Pick<ApiForward, 'headers'>,
): readonly string[] {
  caller.identityHeaders ??= forward.headers.flatMap(([name, field]) => {
    const value = headerValueOf(caller, field)
    return value === undefined || value === '' ? [] : [name, value]
  })
  return caller.identityHeaders
}

function headerValueOf(caller: ApiCaller, field: IdentityField): string | undefined {
  switch (field) {
    case 'username':
      return asHeaderValue(caller.username)
    case 'subject':
      return asHeaderValue(caller.subject)
    case 'scopes':
      return [...caller.scopes].map(asHeaderValue).join(' ')
    case 'roles':
      return [...caller.roles].map(asListItem).join(',')
    case 'client':
      return caller.clientId && asHeaderValue(caller.clientId)
    case 'issuer':
      return asHeaderValue(caller.issuer)
    default: {
      const value = readClaim(caller.claims, field.slice('claim:'.length))
      if (Array.isArray(value)) {
        return value
          .filter((each) => typeof each === 'string' || typeof each === 'number')
          .map((each) => asListItem(String(each)))
          .join(',')
      }
      if (typeof value === 'object' && value !== null) return asHeaderValue(JSON.stringify(value))
      return value === undefined || value === null ? undefined : asHeaderValue(String(value))
    }
  }
}

/**
 * A text that a header can hold and that means one thing only: `%`, everything outside visible
 * ASCII, and spaces at its ends are percent-encoded as UTF-8. Decoding gives the text back.
 */
export function asHeaderValue(text: string): string {
  return /^[\x21-\x24\x26-\x7e]+(?: [\x21-\x24\x26-\x7e]+)*$/.test(text)
    ? text
    : text
        .toWellFormed()
        .replaceAll(/[^\x20-\x24\x26-\x7e]|^ +| +$/gu, (part) =>
          encodeURIComponent(part).replaceAll(/[~!*'()]/g, percent),
        )
}

function asListItem(text: string): string {
  return asHeaderValue(text).replaceAll(',', '%2C')
}

function percent(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase()}`
}
