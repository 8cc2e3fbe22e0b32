import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { resolveSecret } from '@scopegate/secrets'
import type { Environment } from '../environment.ts'
import type { ConfigProblem } from './config-error.ts'
import { formatPath } from './explain-issues.ts'
import { type LocatedYaml, orNothing, type Path } from './read-yaml.ts'
import { Secret } from './secret.ts'

/** Reads what the settings refer to, and collects what is wrong with it. */
export class ReferenceReader {
  readonly problems: ConfigProblem[] = []
  /** What was read, as a hash by the path of its setting: tells whether it changed. */
  readonly digests = new Map<string, string>()
  /** What was read from, absolute. */
  readonly files = new Set<string>()
  readonly #yaml: LocatedYaml
  readonly #file: string
  readonly #base: string
  readonly #environment: Environment

  constructor(yaml: LocatedYaml, file: string, base: string, environment: Environment) {
    this.#yaml = yaml
    this.#file = file
    this.#base = base
    this.#environment = environment
  }

  complain(path: Path, why: string, { fix }: { fix?: string }): void {
    this.problems.push({
      file: this.#file,
      ...orNothing('line', this.#yaml.lineOf(path)),
      path: formatPath(path),
      why,
      ...orNothing('fix', fix),
    })
  }

  path(relative: string): string {
    return resolve(this.#base, relative)
  }

  file(path: Path, name: string): string {
    try {
      this.files.add(this.path(name))
      const text = readFileSync(this.path(name), 'utf8')
      this.#note(path, text)
      return text
    } catch (error) {
      const why = (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'no such file' : 'unreadable'
      this.complain(path, `${why}: ${this.path(name)}`, {
        fix: 'paths are relative to the configuration file; check name and permissions',
      })
      return ''
    }
  }

  secret(path: Path, reference: string | undefined): Secret | undefined {
    if (reference === undefined) return undefined
    const resolved = resolveSecret(reference, { env: this.#environment, directory: this.#base })
    if (!resolved.ok)
      this.complain(path, resolved.problem, { fix: 'make it resolve, or remove it' })
    if (reference.startsWith('file:')) this.files.add(this.path(reference.slice('file:'.length)))
    if (resolved.ok) this.#note(path, resolved.value)
    return new Secret(reference, resolved.ok ? resolved.value : '')
  }

  #note(path: Path, text: string): void {
    this.digests.set(formatPath(path), createHash('sha256').update(text).digest('base64url'))
  }

  keySet(path: Path, name: string | undefined) {
    if (name === undefined) return undefined
    const text = this.file(path, name)
    if (text === '') return undefined
    try {
      const keySet = JSON.parse(text)
      if (!Array.isArray(keySet.keys)) throw new Error('no `keys` list')
      if (keySet.keys.some((key: Record<string, unknown>) => 'd' in key || 'k' in key)) {
        this.complain(path, 'holds a private or symmetric key', {
          fix: 'put only public keys there',
        })
      }
      return keySet as { readonly keys: readonly Record<string, unknown>[] }
    } catch (error) {
      this.complain(path, `not a JWK set: ${(error as Error).message}`, {
        fix: 'the file must hold {"keys": [ … ]}, with public keys',
      })
      return undefined
    }
  }
}
