import { inspect } from 'node:util'

/**
 * A secret value and where it came from. Printed, logged or serialised it shows the reference;
 * only `reveal` gives the value.
 */
export class Secret {
  readonly reference: string
  readonly #value: string

  constructor(reference: string, value: string) {
    this.reference = reference
    this.#value = value
  }

  reveal(): string {
    return this.#value
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
