import { argon2, randomBytes, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'

/** Costs of Argon2id. @see RFC 9106 §3.1 */
export interface Argon2Parameters {
  readonly memoryKib: number
  readonly passes: number
  readonly parallelism: number
}

/** @see OWASP Password Storage Cheat Sheet: 19 MiB, 2 passes, 1 lane */
export const OWASP_PARAMETERS: Argon2Parameters = { memoryKib: 19_456, passes: 2, parallelism: 1 }

const SALT_BYTES = 16
const TAG_BYTES = 32

const derive = promisify(argon2)

/** Hashes with a new salt, as a PHC string: `$argon2id$v=19$m=19456,t=2,p=1$salt$tag`. */
export async function hashArgon2(text: string, parameters: Argon2Parameters): Promise<string> {
  const salt = randomBytes(SALT_BYTES)
  const tag = await tagOf(text, salt, parameters, TAG_BYTES)
  const { memoryKib, passes, parallelism } = parameters
  return `$argon2id$v=19$m=${memoryKib},t=${passes},p=${parallelism}$${base64(salt)}$${base64(tag)}`
}

/**
 * Whether `text` is what `phc` was made of. `outdated`: it was made with other parameters.
 *
 * @throws {TypeError} when `phc` is no Argon2id hash of version 19
 */
export async function verifyArgon2(
  text: string,
  phc: string,
  current: Argon2Parameters,
): Promise<{ readonly ok: boolean; readonly outdated: boolean }> {
  const { parameters, salt, tag } = parsePhc(phc)
  const got = await tagOf(text, salt, parameters, tag.length)
  return {
    ok: timingSafeEqual(got, tag),
    outdated:
      parameters.memoryKib !== current.memoryKib ||
      parameters.passes !== current.passes ||
      parameters.parallelism !== current.parallelism,
  }
}

const PHC =
  /^\$argon2id\$v=19\$m=(\d{1,9}),t=(\d{1,4}),p=(\d{1,3})\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{22,86})$/

function parsePhc(phc: string) {
  const [, memory, passes, parallelism, salt, tag] = PHC.exec(phc) ?? []
  if (salt === undefined || tag === undefined) {
    throw new TypeError('what is stored is no Argon2id hash')
  }
  return {
    parameters: {
      memoryKib: Number(memory),
      passes: Number(passes),
      parallelism: Number(parallelism),
    },
    salt: Buffer.from(salt, 'base64'),
    tag: Buffer.from(tag, 'base64'),
  }
}

function tagOf(
  text: string,
  nonce: Buffer,
  { memoryKib, passes, parallelism }: Argon2Parameters,
  tagLength: number,
): Promise<Buffer> {
  return derive('argon2id', {
    message: Buffer.from(text),
    nonce,
    memory: memoryKib,
    passes,
    parallelism,
    tagLength,
  }) as Promise<Buffer>
}

/** Without padding, as PHC strings have it. */
function base64(bytes: Buffer): string {
  return bytes.toString('base64').replaceAll('=', '')
}
