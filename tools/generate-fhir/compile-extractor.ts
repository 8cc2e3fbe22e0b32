import { type Node, parseFhirPath } from './fhirpath.ts'
import { choiceName, type Element, type TypeModel } from './type-model.ts'

/** The JavaScript of one extractor, and what it looks at. */
export interface Compiled {
  /** Statements over `r` (resource), `o` (values found) and `b` (base URL). */
  readonly code: string
  readonly elementTypes: readonly string[]
  /** Resource types that references can lead to; `undefined` when nothing is said (any). */
  readonly targets: readonly string[] | undefined
}

export interface Item {
  /** A JavaScript expression without side effects. */
  readonly js: string
  readonly type: string
  readonly element?: Element
  readonly targets?: readonly string[]
}

/** The converter (see extract/converters.ts) for a parameter type and an element type. */
const CONVERTERS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  token: {
    code: 'tokenCode',
    Coding: 'tokenCoding',
    CodeableConcept: 'tokenConcept',
    Identifier: 'tokenIdentifier',
    ContactPoint: 'tokenContact',
    boolean: 'tokenBoolean',
    string: 'tokenText',
    id: 'tokenText',
    uri: 'tokenText',
    oid: 'tokenText',
    canonical: 'tokenText',
    Extension: 'tokenExtension',
    Money: 'tokenCurrency',
  },
  date: {
    date: 'dateText',
    dateTime: 'dateText',
    instant: 'dateText',
    Period: 'datePeriod',
    Timing: 'dateTiming',
    Extension: 'dateExtension',
  },
  string: {
    string: 'stringText',
    markdown: 'stringText',
    code: 'stringText',
    HumanName: 'stringName',
    Address: 'stringAddress',
    Extension: 'stringExtension',
  },
  number: {
    decimal: 'numberPlain',
    integer: 'numberPlain',
    positiveInt: 'numberPlain',
    unsignedInt: 'numberPlain',
    Range: 'numberRange',
    Extension: 'numberExtension',
  },
  quantity: {
    Quantity: 'quantityPlain',
    Age: 'quantityPlain',
    Duration: 'quantityPlain',
    Money: 'quantityMoney',
    Range: 'quantityRange',
    SampledData: 'quantitySampled',
    Extension: 'quantityExtension',
  },
  uri: {
    uri: 'uriText',
    url: 'uriText',
    canonical: 'uriText',
    oid: 'uriText',
    Extension: 'uriExtension',
  },
  reference: {
    Reference: 'referencePlain',
    canonical: 'referenceCanonical',
    uri: 'referenceCanonical',
    Resource: 'referenceInline',
    Extension: 'referenceExtension',
  },
}
/** Element types that an R4 expression reaches but that its parameter type cannot use. */
const IGNORED: Readonly<Record<string, ReadonlySet<string>>> = {
  date: new Set(['string', 'Age', 'Range', 'boolean']),
  quantity: new Set(['string']),
  token: new Set(['Quantity', 'Range', 'Reference', 'dateTime', 'base64Binary', 'date']),
  string: new Set(['CodeableConcept']),
  reference: new Set(['Attachment']),
}

export function compileExtractor(
  expression: string,
  base: string,
  parameterType: string,
  model: TypeModel,
  impliedSystem: (valueSet: string) => string | undefined,
  focus: { readonly js: string; readonly type: string } = { js: 'r', type: base },
  into = 'o',
  terminal?: (item: Item) => string,
): Compiled {
  const elementTypes = new Set<string>()
  const targets = new Set<string>()
  let anyTarget = false
  let variables = 0
  const fresh = (): string => `${into === 'o' ? '' : into}v${variables++}`

  const convert = (item: Item): string => {
    if (IGNORED[parameterType]?.has(item.type)) return ''
    const converter = CONVERTERS[parameterType]?.[item.type]
    if (converter === undefined)
      throw new Error(`${base}: no ${parameterType} from ${item.type} in \`${expression}\``)
    elementTypes.add(item.type)
    if (item.targets !== undefined) for (const target of item.targets) targets.add(target)
    if (item.targets === undefined || item.targets.length === 0) anyTarget = true
    const system =
      item.type === 'code' && parameterType === 'token' && item.element?.requiredValueSet
        ? impliedSystem(item.element.requiredValueSet)
        : undefined
    if (system !== undefined) return `${converter}(${item.js},${into},${JSON.stringify(system)});`
    return parameterType === 'reference'
      ? `${converter}(${item.js},${into},b);`
      : `${converter}(${item.js},${into});`
  }

  const member = (of: Item, name: string, each: (item: Item) => string): string => {
    if (of.type === 'Extension' && name === 'value') return each(of)
    const element = model.elements.get(of.type)?.find((candidate) => candidate.name === name)
    if (element === undefined) throw new Error(`${of.type} has no ${name} in \`${expression}\``)
    // The resource itself is always an object; everything below may be missing or malformed.
    const owner = of.js === 'r' ? 'r.' : `${of.js}?.`
    return element.types
      .map((type) => {
        const js = owner + (element.choice ? choiceName(name, type.code) : name)
        const item = { type: type.code, element, targets: type.targets }
        if (!element.array) return each({ js, ...item })
        const variable = fresh()
        const body = each({ js: variable, ...item })
        return body === '' ? '' : `for(const ${variable} of list(${js})){${body}}`
      })
      .join('')
  }

  const walk = (node: Node, context: Item, each: (item: Item) => string): string => {
    switch (node.kind) {
      case 'name':
        if (node.name === base || node.name === 'Resource' || node.name === 'DomainResource')
          return each({ js: 'r', type: base })
        if (model.resourceTypes.includes(node.name)) return ''
        return member(context, node.name, each)
      case 'resource':
        return each({ js: 'r', type: base })
      case 'member':
        return walk(node.of, context, (item) => member(item, node.name, each))
      case 'index': {
        // `Bundle.entry[0]`: the first of the only array in the path.
        const { of } = node
        if (of.kind !== 'member') throw new Error(`index on ${of.kind} in \`${expression}\``)
        return walk(of.of, context, (item) => {
          const element = model.elements.get(item.type)?.find(({ name }) => name === of.name)
          if (!element?.array) throw new Error(`index on a single element in \`${expression}\``)
          const js = `list(${item.js}.${of.name})[${node.index}]`
          return each({ js, type: element.types[0]!.code, element })
        })
      }
      case 'as':
        return walk(node.of, context, (item) => {
          const wanted = node.type === 'DateTime' ? 'dateTime' : node.type
          return item.type === wanted || item.type === 'Extension' ? each(item) : ''
        })
      case 'binary':
        if (node.op === '|') return walk(node.left, context, each) + walk(node.right, context, each)
        return booleanItem(node, context, each)
      case 'call':
        if (node.name === 'where') {
          const condition = node.args[0]!
          if (condition.kind === 'is')
            return walk(node.of!, context, (item) => {
              const body = each({ ...item, targets: [condition.type] })
              return `if(leadsTo(${item.js},'${condition.type}')){${body}}`
            })
          return walk(node.of!, context, (item) => {
            const body = each(item)
            return body === '' ? '' : `if(${test(condition, item)}){${body}}`
          })
        }
        if (node.name === 'extension') {
          const url = (node.args[0] as { value: string }).value
          return walk(node.of!, context, (item) => {
            const variable = fresh()
            const body = each({ js: variable, type: 'Extension' })
            return `for(const ${variable} of extensions(${item.js},${JSON.stringify(url)})){${body}}`
          })
        }
        return booleanItem(node, context, each)
      default:
        throw new Error(`${node.kind} has no place in \`${expression}\``)
    }
  }

  const booleanItem = (node: Node, context: Item, each: (item: Item) => string): string =>
    each({ js: `(${test(node, context)})`, type: 'boolean' })

  /** A JavaScript condition. */
  const test = (node: Node, context: Item): string => {
    if (node.kind === 'call' && node.name === 'hasExtension') {
      const url = (node.args[0] as { value: string }).value
      return `extensions(${context.js},${JSON.stringify(url)}).length>0`
    }
    if (node.kind === 'call' && node.name === 'exists')
      return `(${alternatives(node.of!, context)
        .map((js) => `${js}!==undefined`)
        .join('||')})`
    if (node.kind === 'binary' && node.op === 'and')
      return `${test(node.left, context)}&&${test(node.right, context)}`
    if (node.kind === 'binary' && (node.op === '=' || node.op === '!=')) {
      if (node.right.kind !== 'literal') throw new Error(`cannot compare in \`${expression}\``)
      const literal = JSON.stringify(node.right.value)
      const sides = alternatives(node.left, context)
      return node.op === '='
        ? `(${sides.map((side) => `${side}===${literal}`).join('||')})`
        : sides.map((side) => `${side}!==${literal}`).join('&&')
    }
    throw new Error(`no condition: ${node.kind} in \`${expression}\``)
  }

  const alternatives = (node: Node, context: Item): string[] => {
    const found: string[] = []
    walk(node, context, (item) => {
      found.push(item.js)
      return ''
    })
    return found
  }

  const code = walk(parseFhirPath(expression), focus, terminal ?? convert)
  return {
    code,
    elementTypes: [...elementTypes].sort(),
    targets: anyTarget || targets.size === 0 ? undefined : [...targets].sort(),
  }
}

/** Whether the expression says anything about `base`; a union names its types branch by branch. */
export function branchesFor(expression: string, base: string): string {
  const branches = splitUnion(expression).filter((branch) =>
    // A lower-case start is a plain element of the type itself (InsurancePlan-name).
    new RegExp(`^\\(*(${base}|Resource|DomainResource|[a-z]\\w*)\\b`).test(branch),
  )
  return branches.join(' | ')
}

function splitUnion(expression: string): string[] {
  const branches: string[] = []
  let depth = 0
  let from = 0
  for (let at = 0; at < expression.length; at++) {
    const sign = expression[at]
    if (sign === '(') depth++
    else if (sign === ')') depth--
    else if (sign === '|' && depth === 0) {
      branches.push(expression.slice(from, at).trim())
      from = at + 1
    }
  }
  branches.push(expression.slice(from).trim())
  return branches
}
