/** One word for a POSIX shell, as it stands. */
export function shellQuote(word: string): string {
  return /^[A-Za-z0-9_./:=@%+,-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
}

/** Fetches a token and reads with it: works as pasted, needs only curl and sed. */
export function curlLine(request: {
  readonly tokenUrl: string
  readonly clientId: string
  readonly clientSecret: string
  readonly scope: string
  readonly resourceUrl: string
}): string {
  const { tokenUrl, clientId, clientSecret, scope, resourceUrl } = request
  const token = [
    'curl -s',
    `-u ${shellQuote(`${clientId}:${clientSecret}`)}`,
    '-d grant_type=client_credentials',
    `--data-urlencode ${shellQuote(`scope=${scope}`)}`,
    shellQuote(tokenUrl),
    `| sed 's/.*"access_token":"\\([^"]*\\)".*/\\1/'`,
  ].join(' ')
  return `curl -s -H "Authorization: Bearer $(${token})" ${shellQuote(resourceUrl)}`
}
