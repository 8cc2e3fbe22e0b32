import { createPublicKey, type JsonWebKey, verify } from 'node:crypto'
import type { LabIssuer } from '@scopegate/lab'
import { createTokenVerifier, keysFromSet, rfc9068Issuer } from '@scopegate/token-verify'

const AUDIENCE = 'http://gateway.example/api'
const TURNS = 3000

/** Processor time to judge tokens that were never seen, and of their RS256 signatures alone; µs. */
export async function verifyAlone(
  lab: LabIssuer,
): Promise<{ readonly judged: number; readonly signature: number }> {
  const verifier = createTokenVerifier({
    issuers: [rfc9068Issuer(lab.issuer, keysFromSet(lab.keySet))],
    clockToleranceSeconds: 30,
    now: () => Math.floor(Date.now() / 1000),
    cacheEntries: 100,
  })
  const expected = { audiences: [AUDIENCE], issuers: [lab.issuer] }
  const tokens = Array.from({ length: 2 * TURNS }, (_, index) =>
    lab.mintToken({ audience: AUDIENCE, scope: `api read thing-${index}`, expiresInSeconds: 3600 }),
  )
  const [jwk] = lab.keySet.keys
  const key = createPublicKey({ key: jwk as JsonWebKey, format: 'jwk' })
  const parts = tokens.map((token) => {
    const at = token.lastIndexOf('.')
    const signature = Buffer.from(token.slice(at + 1), 'base64url')
    return { input: Buffer.from(token.slice(0, at)), signature }
  })
  return {
    judged: await microsOf(async (index) => {
      const { ok } = await verifier.verify(`Bearer ${tokens[index]}`, expected)
      if (!ok) throw new Error('a good token was refused')
    }),
    signature: await microsOf((index) => {
      const { input, signature } = parts[index]!
      if (!verify('sha256', input, key, signature)) throw new Error('a good signature was refused')
    }),
  }
}

/** Of the second half; the first makes it warm. */
async function microsOf(turn: (index: number) => void | Promise<void>): Promise<number> {
  for (let index = 0; index < TURNS; index += 1) await turn(index)
  const before = process.cpuUsage()
  for (let index = TURNS; index < 2 * TURNS; index += 1) await turn(index)
  const { user, system } = process.cpuUsage(before)
  return (user + system) / TURNS
}
