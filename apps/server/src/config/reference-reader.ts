import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import {
  fileOfReference,
  resolveSecret,
  type SecretMeaning,
  type SecretResolution,
} from '@scopegate/secrets'
import type { Environment } from '../environment.ts'
import type { ConfigProblem } from './config-error.ts'
import { formatPath } from './explain-issues.ts'
import { type LocatedYaml, orNothing, type Path } from './read-yaml.ts'
import { Secret } from './secret.ts'

/** A secret that the settings refer to, and what became of it. The value is only in `secret`. */
export interface SecretUse {
  /** `clients[0].secret` */
  readonly path: string
  readonly line?: number
  readonly secret: Secret
  readonly resolution: SecretResolution
}

/** Reads what the settings refer to, and collects what is wrong with it. */
export class ReferenceReader {
  readonly problems: ConfigProblem[] = []
  /** What was read, as a hash by the path of its setting: tells whether it changed. */
  readonly digests = new Map<string, string>()
  /** What was read from, absolute. */
  readonly files = new Set<string>()
  /** Every secret that was asked for, resolved or not, in that order. */
  readonly secretUses: SecretUse[] = []
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

  /**
   * The secret that a setting refers to; empty where it does not resolve, which is complained of.
   *
   * @param meaning what the value is meant to be, where that shows more mistakes
   */
  secret(path: Path, reference: string, meaning?: SecretMeaning): Secret
  secret(path: Path, reference: string | undefined, meaning?: SecretMeaning): Secret | undefined
  secret(path: Path, reference: string | undefined, meaning?: SecretMeaning): Secret | undefined {
    if (reference === undefined) return undefined
    const resolved = resolveSecret(reference, this.#sources(), meaning)
    if (!resolved.ok) {
      this.complain(path, resolved.problem, {
        fix: resolved.hints.join('; ') || 'make it resolve, or remove it',
      })
    }
    const file = fileOfReference(reference)
    if (file !== undefined) this.files.add(this.path(file))
    if (resolved.ok) this.#note(path, resolved.value)
    const secret = resolved.ok
      ? new Secret(reference, resolved.value, resolved.warnings)
      : new Secret(reference, '')
    const line = this.#yaml.lineOf(path)
    const resolution = withoutValue(resolved)
    this.secretUses.push({ path: formatPath(path), ...orNothing('line', line), secret, resolution })
    return secret
  }

  /** An ordered list of secrets, newest first. */
  secrets(path: Path, references: readonly string[], meaning?: SecretMeaning): readonly Secret[] {
    return references.map((reference, index) => this.secret([...path, index], reference, meaning))
  }

  #sources() {
    // As written: what refers to secrets is read even where other settings are wrong.
    const written = this.#yaml.value as { secrets?: { allowLiterals?: unknown } } | undefined
    return {
      env: this.#environment,
      directory: this.#base,
      allowLiterals: written?.secrets?.allowLiterals === true,
      processName: `the environment of process ${process.pid}`,
    }
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

/** What is kept for reports is kept without the value. */
function withoutValue(resolved: SecretResolution & { readonly value?: string }): SecretResolution {
  const { value: _, ...resolution } = resolved
  return resolution as SecretResolution
}
