import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'

/** What a secret reference resolves to; `problem` is for the operator and never holds the value. */
export type ResolvedSecret =
  | { readonly ok: true; readonly value: string }
  | { readonly ok: false; readonly problem: string }

export interface SecretSources {
  /** The environment as `config.ts` read it. */
  readonly env: Readonly<Record<string, string | undefined>>
  /** Relative paths in `file:` start here: the folder of the configuration file. */
  readonly directory: string
}

const MAX_BYTES = 64 * 1024

/**
 * Resolves `env:NAME` or `file:PATH`. One trailing newline is cut, since editors and `echo` add
 * it. Anything else is taken for a secret written into the configuration, and refused.
 */
export function resolveSecret(reference: string, sources: SecretSources): ResolvedSecret {
  const [, scheme, rest = ''] = /^(env|file):(.*)$/s.exec(reference) ?? []
  switch (scheme) {
    case 'env':
      return fromEnvironment(rest, sources)
    case 'file':
      return fromFile(rest, sources)
    default:
      return refuse(
        'a secret is never written into the configuration: put it into an environment variable and write `env:NAME`, or into a file and write `file:PATH`',
      )
  }
}

function fromEnvironment(name: string, { env }: SecretSources): ResolvedSecret {
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
    return refuse('`env:` must be followed by the name of an environment variable')
  }
  const value = env[name]
  if (value === undefined) return refuse(`environment variable \`${name}\` is not set`)
  return usable(value, `environment variable \`${name}\``)
}

function fromFile(path: string, { directory }: SecretSources): ResolvedSecret {
  if (path === '') return refuse('`file:` must be followed by a path')
  const file = resolve(directory, path)
  try {
    const bytes = readFileSync(file)
    if (bytes.length > MAX_BYTES) return refuse(`\`${file}\` is larger than a secret (64 KiB)`)
    return usable(bytes.toString('utf8'), `file \`${file}\``)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return refuse(`file \`${file}\` does not exist`)
    if (code === 'EACCES') return refuse(`file \`${file}\` cannot be read by this user`)
    if (code === 'EISDIR') return refuse(`\`${file}\` is a folder, not a file`)
    throw error
  }
}

function usable(text: string, where: string): ResolvedSecret {
  const value = text.replace(/\r?\n$/, '')
  return value.trim() === '' ? refuse(`${where} is set, but empty`) : { ok: true, value }
}

function refuse(problem: string): ResolvedSecret {
  return { ok: false, problem }
}
