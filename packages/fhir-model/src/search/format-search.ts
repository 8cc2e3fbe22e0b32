/**
 * Parameters as a query string (without `?`) that `URLSearchParams` reads back as the same pairs.
 * Characters that are legal in a query and common in searches stay readable.
 */
export function formatSearch(used: Iterable<readonly [name: string, value: string]>): string {
  return Array.from(used, ([name, value]) => `${encode(name)}=${encode(value)}`).join('&')
}

function encode(text: string): string {
  return encodeURIComponent(text.toWellFormed()).replace(/%(2C|2F|3A|40|24)/g, (octet) =>
    decodeURIComponent(octet),
  )
}
