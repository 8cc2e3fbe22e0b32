/** One variable of an env file. */
export type EnvFileEntry =
  | { readonly ok: true; readonly value: string; readonly times: number }
  /** The names that the file has instead. */
  | { readonly ok: false; readonly problem?: string; readonly names: readonly string[] }

const ASSIGNMENT = /^[ \t]*(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_.-]*)[ \t]*=[ \t]*(.*)$/

/**
 * Looks one name up in a `.env` style file: `NAME=value` lines, `export` in front, `#` lines.
 * Quotes around a value are taken off; between double quotes `\n`, `\"`, `\\` and `\$` are
 * escapes, and either kind may go over lines. ` #` ends a value without quotes; a `#` without a
 * space before it belongs to the value. Nothing is replaced (`${OTHER}` stays). The last one wins.
 */
export function findInEnvFile(text: string, name: string): EnvFileEntry {
  const names = new Set<string>()
  let found: { value: string; times: number } | undefined
  const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/)
  for (let at = 0; at < lines.length; at += 1) {
    const [, key, rest = ''] = ASSIGNMENT.exec(lines[at]!) ?? []
    if (key === undefined) continue
    names.add(key)
    const quote = /^["']/.exec(rest)?.[0]
    let value = rest.replace(/(?:^|\s)#.*$/, '').trimEnd()
    if (quote !== undefined) {
      let quoted = rest
      const start = at
      while (endOf(quoted, quote) === -1 && at + 1 < lines.length) quoted += `\n${lines[++at]}`
      const end = endOf(quoted, quote)
      if (end === -1) {
        const problem = `the ${quote} in line ${start + 1} is never closed`
        return { ok: false, problem, names: [...names] }
      }
      value = quote === '"' ? withoutEscapes(quoted.slice(1, end)) : quoted.slice(1, end)
    }
    if (key === name) found = { value, times: (found?.times ?? 0) + 1 }
  }
  return found === undefined ? { ok: false, names: [...names] } : { ok: true, ...found }
}

function endOf(text: string, quote: string): number {
  for (let at = 1; at < text.length; at += 1) {
    if (quote === '"' && text[at] === '\\') at += 1
    else if (text[at] === quote) return at
  }
  return -1
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t' }

function withoutEscapes(text: string): string {
  return text.replace(/\\([nrt"\\$])/g, (_, character: string) => ESCAPES[character] ?? character)
}
