import type { PathPart } from '../problem.ts'

/** Why a text is no acceptable JSON, and where (offset in UTF-16 units). */
export interface JsonFault {
  readonly what: 'syntax' | 'duplicate-key' | 'depth'
  readonly offset: number
  readonly path: readonly PathPart[]
  /** What was expected, or the name of the duplicate. */
  readonly detail: string
}

/** Told of every number, as it is written; `path` is good for the moment of the call. */
export type OnNumber = (path: readonly PathPart[], written: string) => void

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COMMA = 0x2c
const COLON = 0x3a
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d
const OPEN_BRACKET = 0x5b
const CLOSE_BRACKET = 0x5d

const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y
/** The plain run inside a string; a control character ends it. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: JSON forbids them unescaped.
const PLAIN = /[^"\\\u0000-\u001f]*/y
const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y

/** Many keys are compared through a Set, few one by one. */
const FEW = 12

/**
 * Reads a whole JSON text (RFC 8259) once and finds the first fault: a syntax error, a key that
 * stands twice in one object, or nesting deeper than `maxDepth`. `undefined`: the text is sound, and
 * `JSON.parse` reads it without losing a member.
 */
export function scanJson(
  text: string,
  maxDepth: number,
  onNumber?: OnNumber,
): JsonFault | undefined {
  const scanner = new Scanner(text, maxDepth, onNumber)
  try {
    scanner.whole()
    return undefined
  } catch (fault) {
    if (fault instanceof Fault) return fault.fault
    throw fault
  }
}

/** Thrown inside this file only. */
class Fault {
  readonly fault: JsonFault
  constructor(fault: JsonFault) {
    this.fault = fault
  }
}

class Scanner {
  readonly #text: string
  readonly #maxDepth: number
  readonly #onNumber: OnNumber | undefined
  readonly #path: PathPart[] = []
  #at = 0
  #depth = 0

  constructor(text: string, maxDepth: number, onNumber?: OnNumber) {
    this.#text = text
    this.#maxDepth = maxDepth
    this.#onNumber = onNumber
  }

  whole(): void {
    this.#space()
    this.#value()
    this.#space()
    if (this.#at < this.#text.length) this.#fail('syntax', 'the end of the text')
  }

  #fail(what: JsonFault['what'], detail: string, offset = this.#at): never {
    throw new Fault({ what, offset, path: [...this.#path], detail })
  }

  #space(): void {
    const text = this.#text
    let at = this.#at
    for (;;) {
      const code = text.charCodeAt(at)
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) break
      at++
    }
    this.#at = at
  }

  #value(): void {
    switch (this.#text.charCodeAt(this.#at)) {
      case OPEN_BRACE:
        this.#object()
        break
      case OPEN_BRACKET:
        this.#array()
        break
      case QUOTE:
        this.#string()
        break
      case 0x74:
        this.#word('true')
        break
      case 0x66:
        this.#word('false')
        break
      case 0x6e:
        this.#word('null')
        break
      default:
        NUMBER.lastIndex = this.#at
        if (!NUMBER.test(this.#text)) this.#fail('syntax', 'a value')
        this.#onNumber?.(this.#path, this.#text.slice(this.#at, NUMBER.lastIndex))
        this.#at = NUMBER.lastIndex
    }
  }

  #word(word: string): void {
    if (!this.#text.startsWith(word, this.#at)) this.#fail('syntax', 'a value')
    this.#at += word.length
  }

  #enter(): void {
    if (++this.#depth > this.#maxDepth) this.#fail('depth', String(this.#maxDepth))
    this.#at++
    this.#space()
  }

  #object(): void {
    this.#enter()
    const keys: string[] = []
    let many: Set<string> | undefined
    if (this.#text.charCodeAt(this.#at) !== CLOSE_BRACE) {
      for (;;) {
        const start = this.#at
        if (this.#text.charCodeAt(start) !== QUOTE) this.#fail('syntax', 'a member name')
        this.#string()
        const key = this.#keyText(start)
        if (many === undefined ? keys.includes(key) : many.has(key)) {
          this.#path.push(key)
          this.#fail('duplicate-key', key, start)
        }
        if (many !== undefined) many.add(key)
        else if (keys.push(key) > FEW) many = new Set(keys)
        this.#space()
        if (this.#text.charCodeAt(this.#at) !== COLON) this.#fail('syntax', '`:`')
        this.#at++
        this.#space()
        this.#path.push(key)
        this.#value()
        this.#path.pop()
        this.#space()
        const next = this.#text.charCodeAt(this.#at)
        if (next === CLOSE_BRACE) break
        if (next !== COMMA) this.#fail('syntax', '`,` or `}`')
        this.#at++
        this.#space()
      }
    }
    this.#at++
    this.#depth--
  }

  #array(): void {
    this.#enter()
    if (this.#text.charCodeAt(this.#at) !== CLOSE_BRACKET) {
      for (let index = 0; ; index++) {
        this.#path.push(index)
        this.#value()
        this.#path.pop()
        this.#space()
        const next = this.#text.charCodeAt(this.#at)
        if (next === CLOSE_BRACKET) break
        if (next !== COMMA) this.#fail('syntax', '`,` or `]`')
        this.#at++
        this.#space()
      }
    }
    this.#at++
    this.#depth--
  }

  #string(): void {
    let at = this.#at + 1
    const text = this.#text
    for (;;) {
      PLAIN.lastIndex = at
      PLAIN.test(text)
      at = PLAIN.lastIndex
      const code = text.charCodeAt(at)
      if (code === QUOTE) {
        this.#at = at + 1
        return
      }
      this.#at = at
      if (code !== BACKSLASH)
        this.#fail(
          'syntax',
          at < text.length ? 'an escaped control character' : 'the end of a string',
        )
      ESCAPE.lastIndex = at
      if (!ESCAPE.test(text)) this.#fail('syntax', 'a valid escape')
      at = ESCAPE.lastIndex
    }
  }

  /** `"i\u0064"` and `"id"` are the same key. */
  #keyText(start: number): string {
    const raw = this.#text.slice(start + 1, this.#at - 1)
    return raw.includes('\\') ? (JSON.parse(`"${raw}"`) as string) : raw
  }
}
