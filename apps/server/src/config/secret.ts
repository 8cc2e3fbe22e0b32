import { inspect } from 'node:util'
import { fingerprintSecret, maskSecretReference, type SecretWarning } from '@scopegate/secrets'

/**
 * A secret value and where it came from. Printed, logged or serialised it shows the reference (of
 * a literal not even that); only `reveal` gives the value.
 */
export class Secret {
  readonly reference: string
  readonly warnings: readonly SecretWarning[]
  readonly #value: string

  constructor(reference: string, value: string, warnings: readonly SecretWarning[] = []) {
    this.reference = maskSecretReference(reference)
    this.warnings = warnings
    this.#value = value
  }

  reveal(): string {
    return this.#value
  }

  /** What tells it from another without telling it; the same in every process. */
  get fingerprint(): string {
    return fingerprintSecret(this.#value)
  }

  toString(): string {
    return this.reference
  }

  toJSON(): string {
    return this.reference
  }

  [inspect.custom](): string {
    return `Secret(${this.reference})`
  }
}
