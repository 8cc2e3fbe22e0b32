/** The FHIRPath subset that the R4 search parameters use, as a tree. */
export type Node =
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'resource' }
  | { readonly kind: 'literal'; readonly value: string | boolean | number }
  | { readonly kind: 'member'; readonly of: Node; readonly name: string }
  | { readonly kind: 'index'; readonly of: Node; readonly index: number }
  | {
      readonly kind: 'call'
      readonly of: Node | undefined
      readonly name: string
      readonly args: readonly Node[]
    }
  | { readonly kind: 'as'; readonly of: Node; readonly type: string }
  | { readonly kind: 'is'; readonly of: Node; readonly type: string }
  | {
      readonly kind: 'binary'
      readonly op: '|' | 'and' | '=' | '!='
      readonly left: Node
      readonly right: Node
    }

const TOKEN = /\s*(?:(%?[A-Za-z_][A-Za-z0-9_]*)|'((?:[^'\\]|\\.)*)'|(\d+)|(!=|[.()[\]|=,]))/y

/** Binding power: a higher one binds tighter (FHIRPath, section on precedence). */
const POWER: Readonly<Record<string, number>> = { and: 1, '=': 2, '!=': 2, '|': 3, as: 4, is: 4 }

/** Parses one expression. Throws on anything outside the subset, with the place. */
export function parseFhirPath(text: string): Node {
  type Token = { word?: string; text?: string; number?: number; sign?: string }
  const tokens: Token[] = []
  TOKEN.lastIndex = 0
  for (let at = 0; text.slice(at).trim() !== ''; at = TOKEN.lastIndex) {
    TOKEN.lastIndex = at
    const match = TOKEN.exec(text)
    if (match === null) throw new SyntaxError(`cannot read \`${text.slice(at)}\` in \`${text}\``)
    const [, word, quoted, digits, sign] = match
    tokens.push(
      word !== undefined
        ? { word }
        : quoted !== undefined
          ? { text: quoted }
          : digits !== undefined
            ? { number: Number(digits) }
            : { sign: sign! },
    )
  }
  let next = 0
  const takeSign = (sign: string): boolean => tokens[next]?.sign === sign && ++next > 0
  const needSign = (sign: string): void => {
    if (!takeSign(sign)) throw new SyntaxError(`\`${sign}\` expected in \`${text}\``)
  }
  const typeName = (): string => {
    const word = tokens[next++]?.word
    if (word === undefined) throw new SyntaxError(`a type is expected in \`${text}\``)
    return word
  }

  const call = (of: Node | undefined, name: string): Node => {
    if (name === 'as' || name === 'ofType') {
      const type = typeName()
      needSign(')')
      return { kind: 'as', of: of!, type }
    }
    const args: Node[] = []
    if (!takeSign(')')) {
      do args.push(expression(0))
      while (takeSign(','))
      needSign(')')
    }
    return { kind: 'call', of, name, args }
  }
  const primary = (): Node => {
    const token = tokens[next++]
    if (token?.sign === '(') {
      const inner = expression(0)
      needSign(')')
      return inner
    }
    if (token?.text !== undefined) return { kind: 'literal', value: token.text }
    if (token?.number !== undefined) return { kind: 'literal', value: token.number }
    if (token?.word === 'true' || token?.word === 'false')
      return { kind: 'literal', value: token.word === 'true' }
    if (token?.word === '%resource') return { kind: 'resource' }
    if (token?.word === undefined) throw new SyntaxError(`unexpected end or sign in \`${text}\``)
    return takeSign('(') ? call(undefined, token.word) : { kind: 'name', name: token.word }
  }
  const postfix = (): Node => {
    let node = primary()
    for (;;) {
      if (takeSign('.')) {
        const name = typeName()
        node = takeSign('(') ? call(node, name) : { kind: 'member', of: node, name }
      } else if (takeSign('[')) {
        node = { kind: 'index', of: node, index: tokens[next++]?.number ?? Number.NaN }
        needSign(']')
      } else return node
    }
  }
  const expression = (floor: number): Node => {
    let left = postfix()
    for (;;) {
      const operator = tokens[next]?.sign ?? tokens[next]?.word ?? ''
      const power = POWER[operator]
      if (power === undefined || power <= floor) return left
      next++
      if (operator === 'as' || operator === 'is')
        left = { kind: operator, of: left, type: typeName() }
      else
        left = {
          kind: 'binary',
          op: operator as '|' | 'and' | '=' | '!=',
          left,
          right: expression(power),
        }
    }
  }
  const tree = expression(0)
  if (next !== tokens.length) throw new SyntaxError(`unread rest in \`${text}\``)
  return tree
}
