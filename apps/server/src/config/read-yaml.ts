import { isCollection, isMap, isScalar, LineCounter, parseDocument } from 'yaml'
import type { ConfigProblem } from './config-error.ts'

export type Path = readonly (string | number)[]

/** A parsed file that still knows where each value stands. */
export interface LocatedYaml {
  readonly value: unknown
  /** The line of the value at `path`, or of the nearest thing around it. */
  lineOf(path: Path): number | undefined
  /** The line of the key `key` in the map at `path`. */
  lineOfKey(path: Path, key: string): number | undefined
  readonly problems: readonly ConfigProblem[]
}

/** Parses YAML text; syntax errors and duplicate keys become problems with their line. */
export function readYaml(text: string, file: string): LocatedYaml {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false })
  const lineAt = (offset: number | undefined) =>
    offset === undefined ? undefined : lines.linePos(offset).line

  const lineOf = (path: Path): number | undefined => {
    for (let depth = path.length; depth >= 0; depth -= 1) {
      const node = document.getIn(path.slice(0, depth), true)
      if (isCollection(node) || isScalar(node)) return lineAt(node.range?.[0])
    }
    return undefined
  }
  return {
    value: document.errors.length > 0 ? undefined : (document.toJS({ maxAliasCount: 100 }) ?? {}),
    lineOf,
    lineOfKey(path, key) {
      const map = path.length === 0 ? document.contents : document.getIn(path, true)
      if (!isMap(map)) return lineOf(path)
      const pair = map.items.find((item) => isScalar(item.key) && String(item.key.value) === key)
      return isScalar(pair?.key) ? lineAt(pair.key.range?.[0]) : lineOf(path)
    },
    problems: document.errors.map((error) => ({
      file,
      ...orNothing('line', lineAt(error.pos[0])),
      path: '',
      why: `not YAML: ${error.message}`,
      fix: 'look at brackets, quotes, colons and indentation here and just before',
    })),
  }
}

/** `{ [name]: value }`, or nothing when the value is missing. */
export function orNothing<Name extends string, Value>(
  name: Name,
  value: Value | undefined,
): { [name in Name]?: Value } {
  return (value === undefined ? {} : { [name]: value }) as { [name in Name]?: Value }
}
