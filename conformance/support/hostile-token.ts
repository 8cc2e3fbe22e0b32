import { createHmac, createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto'
import { type LabKey, publicJwk } from '@scopegate/lab'
import type { Seeded } from './seeded.ts'

/** What hostile tokens are made of. */
export interface HostileWorld {
  readonly issuer: string
  readonly audience: string
  /** Epoch seconds. */
  readonly now: number
  /** Whose public parts are in the key set. */
  readonly keys: readonly LabKey[]
  /** Somebody else's. */
  readonly foreign: readonly LabKey[]
}

interface Parts {
  readonly header: string
  readonly payload: string
  readonly key: LabKey
}

/**
 * Makes tokens that are nearly good: good ones, good ones with a change before the signature, after
 * it, or both, and texts that only look like tokens.
 */
export function createHostileTokens(world: HostileWorld, random: Seeded): () => string {
  const privateKeys = new Map<LabKey, KeyObject>(
    [...world.keys, ...world.foreign].map((key) => [
      key,
      createPrivateKey({ key: key as never, format: 'jwk' }),
    ]),
  )
  const recent: string[] = []

  function goodHeader(key: LabKey): Record<string, unknown> {
    return { alg: key.alg, kid: key.kid, typ: 'at+jwt' }
  }
  const goodClaims = (): Record<string, unknown> => ({
    iss: world.issuer,
    sub: 's',
    aud: world.audience,
    client_id: 'app',
    jti: String(random.below(1e9)),
    iat: world.now - 10,
    exp: world.now + 300,
    scope: 'system/*.rs',
  })

  function signedBy(key: LabKey, input: string, alg: unknown = key.alg): Buffer {
    const privateKey = privateKeys.get(key)!
    if (typeof alg === 'string' && alg.startsWith('HS')) {
      const pem = createPublicKey(privateKey).export({ type: 'spki', format: 'pem' })
      return createHmac(alg.replace('HS', 'sha'), pem).update(input).digest()
    }
    if (key.alg === 'EdDSA') return sign(null, Buffer.from(input), privateKey)
    const dsaEncoding = random.once(50) ? 'der' : 'ieee-p1363'
    return sign(`sha${key.alg.slice(2)}`, Buffer.from(input), { key: privateKey, dsaEncoding })
  }

  /** Something that a member of a header or of claims may be replaced by. */
  function oddValue(now: number): unknown {
    const hugest = Number.MAX_SAFE_INTEGER
    return random.pick<unknown>([
      ...[null, true, '', 'x', 0, -1, 1.5, 1e308, hugest, [], {}, [[]], '\u0000', '💥'],
      ...[now, now - 31, now - 29, now + 29, now + 31, String(now + 300), now + 300.5, -now],
      ...[[world.audience], [world.audience, 7], { 0: world.audience }, `${world.audience}/`],
      ...[world.issuer, `${world.issuer}/`, world.issuer.toUpperCase(), [world.issuer]],
      ...['__proto__', '../../../dev/null', 'http://127.0.0.1:1/keys', "' OR 1=1 --"],
      'x'.repeat(random.pick([100, 5000])),
    ])
  }

  /** JSON as another writer may write it, right or wrong. */
  function written(value: Record<string, unknown>): string {
    const text = JSON.stringify(value)
    if (!random.once(12)) return text
    const [name = 'alg', member] = random.pick(Object.entries(value))
    const again = `${JSON.stringify(name)}:${JSON.stringify(member) ?? 'null'}`
    return random.pick([
      ` ${text}\n`,
      `\uFEFF${text}`,
      `${text.slice(0, -1)},${again}}`,
      `{${again},${text.slice(1)}`,
      `${text.slice(0, -1)},"__proto__":{"admin":true}}`,
      `${text.slice(0, -1)},"\\u0065xp":${world.now + 9e6}}`,
      `${text.slice(0, -1)},"deep":${'['.repeat(2000)}${']'.repeat(2000)}}`,
      `${text}${text}`,
      text.slice(1, -1),
      `[${text}]`,
      text.replaceAll('"', "'"),
      `${text.slice(0, -1)},}`,
      text.slice(0, random.below(text.length)),
    ])
  }

  function changedHeader(key: LabKey): Record<string, unknown> {
    const header = goodHeader(key)
    const attacker = random.pick(world.foreign)
    const changes: Record<string, unknown>[] = [
      { alg: random.pick(['none', 'None', 'NONE', 'nOnE', '', 'HS256', 'HS512', 'RS1', 'dir']) },
      { alg: random.pick(['RS256', 'RS512', 'PS256', 'ES256', 'ES384', 'ES256K', 'EdDSA']) },
      { kid: random.pick([attacker.kid, undefined, oddValue(world.now)]) },
      { kid: random.pick(world.keys).kid },
      { jwk: publicJwk(attacker), kid: random.pick([undefined, attacker.kid, key.kid]) },
      { jku: 'http://127.0.0.1:1/keys', x5u: 'http://127.0.0.1:1/cert' },
      { x5c: ['MIIB'], x5t: 'AAAA' },
      { crit: random.pick<unknown>([['exp'], ['b64'], [], 'exp', ['x']]), b64: false },
      { b64: false },
      {
        typ: random.pick<unknown>([
          ...['JWT', 'logout+jwt', 'dpop+jwt', 'AT+JWT', 'application/at+jwt', ''],
          ...[['at+jwt'], { at: 'jwt' }],
        ]),
      },
      { cty: 'JWT' },
      { zip: 'DEF' },
    ]
    const name = random.pick(['alg', 'kid', 'typ', 'x'])
    return random.once(4)
      ? { ...header, [name]: oddValue(world.now) }
      : { ...header, ...random.pick(changes) }
  }

  function changedClaims(): Record<string, unknown> {
    const claims = goodClaims()
    const name = random.pick(['exp', 'nbf', 'iat', 'aud', 'iss', 'sub', 'client_id', 'jti', 'cnf'])
    if (random.once(5)) delete claims[name]
    else claims[name] = oddValue(world.now)
    return claims
  }

  function parts(): Parts {
    const from = random.once(6) ? world.foreign : world.keys
    const quick = from.filter(({ alg }) => alg === 'ES256' || alg === 'EdDSA')
    // Signing with the others takes ten times as long.
    const key = random.pick(random.once(10) || quick.length === 0 ? from : quick)
    const header = random.once(2) ? changedHeader(key) : goodHeader(key)
    const claims = random.once(2) ? changedClaims() : goodClaims()
    return { key, header: written(header), payload: written(claims) }
  }

  function encoded(text: string): string {
    const bytes = random.once(60)
      ? Buffer.concat([Buffer.from(text), Buffer.from([0xff])])
      : Buffer.from(text)
    return bytes.toString(random.once(80) ? 'base64' : 'base64url')
  }

  function token(): string {
    const { header, payload, key } = parts()
    const input = `${encoded(header)}.${encoded(payload)}`
    const alg = /"alg":"([^"]*)"/.exec(header)?.[1]
    return `${input}.${signedBy(key, input, alg).toString('base64url')}`
  }

  /** A change that whoever has the token can make. */
  function tampered(text: string): string {
    const at = random.below(text.length)
    const other = recent.length === 0 ? text : random.pick(recent)
    const [head = '', body = '', tail = ''] = text.split('.')
    const [otherHead = '', otherBody = '', otherTail = ''] = other.split('.')
    const character = random.pick([...'ABCxyz019-_+/=. \n\t\u0000é'])
    return random.pick<() => string>([
      () => `${text.slice(0, at)}${character}${text.slice(at + 1)}`,
      () => `${text.slice(0, at)}${character}${text.slice(at)}`,
      () => `${text.slice(0, at)}${text.slice(at + 1)}`,
      () => text.slice(0, at),
      () => `${head}.${body}.`,
      () => `${head}.${body}`,
      () => `${head}..${tail}`,
      () => `.${body}.${tail}`,
      () => `${text}.`,
      () => `${text}.${tail}`,
      () => `${text}.${tail}.${tail}`,
      () => `${head}.${body}.${otherTail}`,
      () => `${head}.${otherBody}.${tail}`,
      () => `${otherHead}.${body}.${tail}`,
      () => `${head}.${body}.${tail}=`,
      () => `${head}.${body}.${nextSpelling(tail)}`,
      () => `${nextSpelling(head)}.${body}.${tail}`,
      () => `${head}.${body}.${'A'.repeat(tail.length)}`,
      () => ` ${text}`,
      () => `${text},${other}`,
      () => 'x'.repeat(random.pick([1, 100, 16_384, 70_000])),
    ])()
  }

  return () => {
    const made = token()
    const text = random.once(3) ? tampered(made) : made
    if (recent.length < 200) recent.push(made)
    else recent[random.below(200)] = made
    // What was seen before comes again: verifiers remember.
    return random.once(20) ? random.pick(recent) : text
  }
}

/** The same bytes by another last character, whose lowest bits are not part of them. */
function nextSpelling(part: string): string {
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  const last = letters.indexOf(part.at(-1) ?? 'A')
  return `${part.slice(0, -1)}${letters[(last ^ 1) & 63]}`
}
