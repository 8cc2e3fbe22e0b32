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
  /** The certificate of a CA that curl does not know. */
  readonly caFile?: string
}): string {
  const { tokenUrl, clientId, clientSecret, scope, resourceUrl, caFile } = request
  const curl = caFile === undefined ? 'curl -s' : `curl -s --cacert ${shellQuote(caFile)}`
  const token = [
    curl,
    `-u ${shellQuote(`${clientId}:${clientSecret}`)}`,
    '-d grant_type=client_credentials',
    `--data-urlencode ${shellQuote(`scope=${scope}`)}`,
    shellQuote(tokenUrl),
    `| sed 's/.*"access_token":"\\([^"]*\\)".*/\\1/'`,
  ].join(' ')
  return `${curl} -H "Authorization: Bearer $(${token})" ${shellQuote(resourceUrl)}`
}

/** A command with curls in it, as they must be run where the server's CA is a local one. */
export function trustingCurl(command: string, caFile: string | undefined): string {
  return caFile === undefined
    ? command
    : `(export CURL_CA_BUNDLE=${shellQuote(caFile)}; ${command})`
}
