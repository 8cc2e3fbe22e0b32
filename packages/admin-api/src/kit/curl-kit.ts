import { type KitFacts, usesDevice } from './kit-facts.ts'

/** One word for a POSIX shell, as it stands. */
function quote(word: string): string {
  return /^[A-Za-z0-9_./:=@%+,-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
}

/** Takes a member out of a JSON answer with what every machine has. */
const member = (name: string) => `sed 's/.*"${name}":"\\([^"]*\\)".*/\\1/'`

/**
 * One line that gets a token and reads with it, with the secret in it: for the moment in which it
 * is known. `undefined` for clients that cannot do it in one line.
 */
export function curlLine(facts: KitFacts, clientSecret: string): string | undefined {
  const { client, addresses, programScopes, programType } = facts
  if (programScopes === '' || programType === undefined) return undefined
  const token = [
    'curl -s',
    `-u ${quote(`${client.clientId}:${clientSecret}`)}`,
    '-d grant_type=client_credentials',
    `--data-urlencode ${quote(`scope=${programScopes}`)}`,
    quote(addresses.tokenEndpoint),
    `| ${member('access_token')}`,
  ].join(' ')
  const read = quote(`${addresses.fhir}/${programType}?_summary=count`)
  return `curl -s -H "Authorization: Bearer $(${token})" ${read}`
}

/** A script for a POSIX shell with curl, openssl and sed. It takes the secret from `.env`. */
export function curlKit(facts: KitFacts): string {
  const { client, addresses } = facts
  const parts = [
    `#!/bin/sh
# ${oneLine(client.name)}: tokens and reads with curl. Needs curl, sed and openssl.
# Run it in this folder, or paste its lines one after the other.
set -eu
token_url=${quote(addresses.tokenEndpoint)}
fhir_url=${quote(addresses.fhir)}
client_id=${quote(client.clientId)}`,
  ]
  if (client.authentication === 'secret') {
    parts.push(`# .env holds CLIENT_SECRET.
if [ -z "\${CLIENT_SECRET:-}" ]; then . ./.env; fi`)
  }
  if (facts.programScopes !== '') parts.push(...program(facts))
  if (facts.userScopes !== '') {
    parts.push(
      ...(usesDevice(client) && facts.redirectUri === undefined ? device(facts) : code(facts)),
    )
  }
  return `${parts.join('\n\n')}\n`
}

function program(facts: KitFacts): string[] {
  const { client, programScopes, programReads } = facts
  const scope = `--data-urlencode ${quote(`scope=${programScopes}`)}`
  const asks =
    client.authentication === 'secret'
      ? `answer=$(curl -sf -u "$client_id:$CLIENT_SECRET" \\
  -d grant_type=client_credentials ${scope} \\
  "$token_url")`
      : `# The private key that belongs to the registered key; RSA. For EC keys take a library such as jose.
private_key=\${PRIVATE_KEY:-private-key.pem}
key_id=\${KEY_ID:-${client.keyIds?.[0] ?? 'THE-KID-OF-YOUR-KEY'}}
b64() { openssl base64 -A | tr '+/' '-_' | tr -d =; }
now=$(date +%s)
signed=$(printf '{"typ":"JWT","alg":"RS384","kid":"%s"}' "$key_id" | b64).$(printf '{"iss":"%s","sub":"%s","aud":"%s","jti":"%s","iat":%s,"exp":%s}' "$client_id" "$client_id" "$token_url" "$(openssl rand -hex 16)" "$now" "$((now + 240))" | b64)
assertion=$signed.$(printf %s "$signed" | openssl dgst -sha384 -sign "$private_key" -binary | b64)
answer=$(curl -sf -d grant_type=client_credentials ${scope} \\
  -d client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer \\
  -d client_assertion="$assertion" "$token_url")`
  return [
    `# A token by client credentials.\n${asks}`,
    `token=$(printf %s "$answer" | ${member('access_token')})`,
    ...reads(programReads),
  ]
}

function code(facts: KitFacts): string[] {
  const { client, addresses, userScopes, userReads, redirectUri = '' } = facts
  const query = new URLSearchParams({
    response_type: 'code',
    client_id: client.clientId,
    redirect_uri: redirectUri,
    scope: userScopes,
    aud: addresses.fhir,
    code_challenge_method: 'S256',
  })
  return [
    `# A token with a user: authorization code with PKCE.
verifier=$(openssl rand -hex 32)
challenge=$(printf %s "$verifier" | openssl dgst -sha256 -binary | openssl base64 -A | tr '+/' '-_' | tr -d =)
state=$(openssl rand -hex 16)
printf 'Open this in a browser:\\n\\n%s\\n\\n' ${quote(`${addresses.authorizationEndpoint}?${query}`)}"&state=$state&code_challenge=$challenge"
printf 'You come back to ${redirectUri.replaceAll("'", '%27').replaceAll('%', '%%')}?code=…&state=…; check that state is %s.\\nPaste the value of code: ' "$state"
read -r code
answer=$(curl -sf ${authenticates(facts)} \\
  -d grant_type=authorization_code --data-urlencode ${quote(`redirect_uri=${redirectUri}`)} \\
  --data-urlencode "code=$code" -d code_verifier="$verifier" \\
  "$token_url")
printf '%s\\n' "$answer" | sed 's/"\\([a-z_]*token\\)":"[^"]*"/"\\1":"…"/g'`,
    `token=$(printf %s "$answer" | ${member('access_token')})`,
    ...reads(userReads),
  ]
}

function device(facts: KitFacts): string[] {
  const { addresses, userScopes, userReads } = facts
  return [
    `# A token with a user on another device.
answer=$(curl -sf ${authenticates(facts)} --data-urlencode ${quote(`scope=${userScopes}`)} --data-urlencode ${quote(`aud=${addresses.fhir}`)} \\
  ${quote(addresses.deviceEndpoint)})
device_code=$(printf %s "$answer" | ${member('device_code')})
printf 'Open %s and enter %s, then press Enter here.\\n' "$(printf %s "$answer" | ${member('verification_uri')})" "$(printf %s "$answer" | ${member('user_code')})"
read -r _
answer=$(curl -sf ${authenticates(facts)} -d grant_type=urn:ietf:params:oauth:grant-type:device_code \\
  --data-urlencode "device_code=$device_code" "$token_url")`,
    `token=$(printf %s "$answer" | ${member('access_token')})`,
    ...reads(userReads),
  ]
}

function authenticates({ client }: KitFacts): string {
  return client.authentication === 'secret'
    ? '-u "$client_id:$CLIENT_SECRET"'
    : '-d client_id="$client_id"'
}

function reads(paths: readonly string[]): string[] {
  return paths.map(
    (path) => `curl -s -H "Authorization: Bearer $token" "$fhir_url"/${quote(path)}; echo`,
  )
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ')
}
