import { resolve } from 'node:path'
import { didYouMean } from '@scopegate/checks'
import { cleanSecret, type SecretMeaning } from './clean-secret.ts'
import { findInEnvFile } from './env-file.ts'
import { fingerprintSecret } from './fingerprint.ts'
import { followPointer } from './json-pointer.ts'
import { nearFiles, nearVariables } from './near-misses.ts'
import { MAX_SECRET_BYTES, readBounded } from './read-bounded.ts'
import { parseSecretReference, type SecretReference } from './reference.ts'
import { type SecretWarning, warn } from './secret-warning.ts'

export type SecretFailure =
  | 'malformed'
  | 'literal_not_allowed'
  | 'unset'
  | 'empty'
  | 'no_file'
  | 'unreadable'
  | 'not_in_file'
  | 'not_text'

/** How a reference was resolved, for the operator; holds no value. */
export type SecretResolution =
  | {
      readonly ok: true
      /** Characters of the value. */
      readonly length: number
      /** @see fingerprintSecret */
      readonly fingerprint: string
      readonly warnings: readonly SecretWarning[]
    }
  | {
      readonly ok: false
      readonly reason: SecretFailure
      readonly problem: string
      /** What was probably meant. */
      readonly hints: readonly string[]
    }

/** What a secret reference resolves to. */
export type ResolvedSecret =
  | (Extract<SecretResolution, { ok: true }> & { readonly value: string })
  | Extract<SecretResolution, { ok: false }>

type Failed = Extract<ResolvedSecret, { ok: false }>

export interface SecretSources {
  /** The environment as it was read at the start. */
  readonly env: Readonly<Record<string, string | undefined>>
  /** Relative paths start here: the folder of the configuration file. */
  readonly directory: string
  /** Whether `literal:` is taken; only where the operator has said so. */
  readonly allowLiterals?: boolean
  /** Whose environment it is, for problems: `process 4711`. */
  readonly processName?: string
  /** Where container platforms mount secrets. Default `/run/secrets`. */
  readonly secretsDirectory?: string
}

const SET_VARIABLE =
  'set it where this process is started (`docker run -e`, `environment:` of Compose, `env:` of a pod, the service unit): a shell beside it does not count; or put it into a file and write `file:PATH`'

const MAKE_FILE =
  'put the secret there, or name the file that has it; relative paths start at the configuration file'

/**
 * Resolves a reference: `env:NAME`, `file:PATH`, `file:PATH#/json/pointer`, `env-file:PATH#NAME`,
 * and `literal:VALUE` where that is allowed. Not set and set but empty are different problems.
 * What surrounds a value by mistake is taken off or warned of; see `cleanSecret`.
 *
 * @param meaning what the value is meant to be, where that shows more mistakes
 */
export function resolveSecret(
  reference: string,
  sources: SecretSources,
  meaning?: SecretMeaning,
): ResolvedSecret {
  const parsed = parseSecretReference(reference)
  if (!parsed.ok) return refuse('malformed', parsed.problem)
  const found = find(parsed.reference, sources, meaning)
  if (!found.ok) return found
  const { value, warnings } = cleanSecret(found.text, meaning)
  if (value.trim() === '') {
    const isFile = found.where.startsWith('file ')
    return refuse(
      'empty',
      `${found.where} ${isFile ? 'is there' : 'is set'}, but empty`,
      'give it a value: an empty one is treated like none',
    )
  }
  return {
    ok: true,
    value,
    length: [...value].length,
    fingerprint: fingerprintSecret(value),
    warnings: [...found.warnings, ...warnings],
  }
}

interface Found {
  readonly ok: true
  readonly text: string
  /** For problems. */
  readonly where: string
  readonly warnings: readonly SecretWarning[]
}

function find(
  reference: SecretReference,
  sources: SecretSources,
  meaning: SecretMeaning | undefined,
): Found | Failed {
  switch (reference.source) {
    case 'env':
      return fromEnvironment(reference.name, sources)
    case 'file':
      return fromFile(reference, sources, meaning)
    case 'env-file':
      return fromEnvFile(reference, sources)
    case 'literal':
      return fromLiteral(reference.value, sources)
  }
}

function fromEnvironment(name: string, sources: SecretSources): Found | Failed {
  const { env, processName, secretsDirectory = '/run/secrets' } = sources
  const text = env[name]
  const where = `environment variable \`${name}\``
  if (text === undefined) {
    const whose = processName === undefined ? '' : ` in ${processName}`
    const hints = nearVariables(name, env, secretsDirectory)
    return refuse(
      'unset',
      `${where} is not set${whose}`,
      ...(hints.length > 0 ? hints : [SET_VARIABLE]),
    )
  }
  const better = name.replaceAll(/[-.]/g, '_').toUpperCase()
  const warnings = /[-.]/.test(name)
    ? [
        warn(
          'hyphenated_name',
          `shells drop variables with \`-\` or \`.\` in their name, and with them what they start: call it \`${better}\``,
        ),
      ]
    : []
  return { ok: true, text, where, warnings }
}

function fromFile(
  { path, pointer }: Extract<SecretReference, { source: 'file' }>,
  { directory }: SecretSources,
  meaning: SecretMeaning | undefined,
): Found | Failed {
  const mayBeDer = meaning === 'private-key' && pointer === undefined
  const read = readText(resolve(directory, path), { mayBeDer })
  if (!read.ok || pointer === undefined) return read
  let document: unknown
  try {
    document = JSON.parse(read.text.replace(/^\uFEFF/, ''))
  } catch {
    // The parser's own message quotes the text.
    return refuse(
      'not_in_file',
      `${read.where} is not JSON, where \`${pointer}\` is looked for`,
      `if the whole file is the secret, leave out \`#${pointer}\``,
    )
  }
  const pointed = followPointer(document, pointer)
  if (!pointed.ok) {
    const wanted = pointer.slice(pointed.reached.length + 1).split('/', 1)[0] ?? ''
    const meant = didYouMean(wanted, pointed.names)
    return refuse(
      'not_in_file',
      `${read.where} has nothing at \`${pointer}\``,
      ...(meant === undefined ? [] : [`did you mean \`${pointed.reached}/${meant}\`?`]),
    )
  }
  const where = `\`${pointer}\` in ${read.where}`
  if (typeof pointed.value !== 'string' && typeof pointed.value !== 'number') {
    return refuse(
      'not_text',
      `${where} is not text`,
      'name the member that holds the secret itself',
    )
  }
  return { ok: true, text: String(pointed.value), where, warnings: [] }
}

function fromEnvFile(
  { path, name }: Extract<SecretReference, { source: 'env-file' }>,
  { directory }: SecretSources,
): Found | Failed {
  const read = readText(resolve(directory, path))
  if (!read.ok) return read
  const where = `variable \`${name}\` of ${read.where}`
  const entry = findInEnvFile(read.text, name)
  if (entry.ok) {
    const warnings =
      entry.times > 1
        ? [
            warn(
              'written_twice',
              `${read.where} sets \`${name}\` ${entry.times} times: the last holds`,
            ),
          ]
        : []
    return { ok: true, text: entry.value, where, warnings }
  }
  if (entry.problem !== undefined) return refuse('not_in_file', `${read.where}: ${entry.problem}`)
  const meant = didYouMean(name, entry.names)
  return refuse(
    'unset',
    `${where} is not set`,
    ...(meant === undefined ? [] : [`did you mean \`env-file:${path}#${meant}\`?`]),
  )
}

function fromLiteral(value: string, { allowLiterals }: SecretSources): Found | Failed {
  if (allowLiterals !== true) {
    return refuse(
      'literal_not_allowed',
      'a secret stands in the configuration itself',
      'put it into an environment variable and write `env:NAME`; for development only, `secrets.allowLiterals: true` takes it',
    )
  }
  const text = 'it stands in the configuration itself: for development only'
  return { ok: true, text: value, where: 'a literal', warnings: [warn('literal', text)] }
}

function readText(file: string, { mayBeDer = false } = {}): Found | Failed {
  const where = `file \`${file}\``
  let bytes: Buffer | undefined
  try {
    bytes = readBounded(file)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') {
      const near = nearFiles(file)
      return refuse('no_file', `${where} does not exist`, ...(near.length > 0 ? near : [MAKE_FILE]))
    }
    if (code === 'EACCES' || code === 'EPERM') {
      return refuse(
        'unreadable',
        `${where} cannot be read by this user`,
        'let the user that this process runs as read it: its owner and mode, or `defaultMode` and `fsGroup` of a mounted secret',
      )
    }
    if (code === 'EISDIR') {
      return refuse('unreadable', `\`${file}\` is a folder, not a file`, 'name the file in it')
    }
    throw error
  }
  if (bytes === undefined) {
    return refuse('unreadable', `\`${file}\` is a pipe or a device, not a file`)
  }
  if (bytes.length > MAX_SECRET_BYTES) {
    return refuse(
      'not_text',
      `\`${file}\` is larger than a secret (64 KiB)`,
      'name the file that holds the secret and nothing else',
    )
  }
  try {
    // Keeps a byte order mark, which is reported.
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
    if (!text.includes('\0')) return { ok: true, text, where, warnings: [] }
  } catch {
    // Told below.
  }
  if (mayBeDer && isDer(bytes)) {
    return { ok: true, text: bytes.toString('base64'), where, warnings: [] }
  }
  return refuse(
    'not_text',
    `${where} is not UTF-8 text`,
    'PowerShell writes UTF-16 with `>`: use `Set-Content -NoNewline -Encoding utf8`',
  )
}

/** A sequence with its length in more than one byte: as PFX and keys in DER begin, and no text does. */
function isDer(bytes: Buffer): boolean {
  return bytes[0] === 0x30 && bytes[1] !== undefined && bytes[1] > 0x80 && bytes[1] < 0x85
}

function refuse(reason: SecretFailure, problem: string, ...hints: readonly string[]): Failed {
  return { ok: false, reason, problem, hints }
}
