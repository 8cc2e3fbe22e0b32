import type { ScopeParam, ScopeProblem } from './scope.ts'

type ParsedConstraint =
  | { readonly ok: true; readonly params: readonly ScopeParam[] }
  | { readonly ok: false; readonly problem: ScopeProblem }

const NAME = /^[A-Za-z_][A-Za-z0-9_-]{0,63}$/

/**
 * What stands after `?`: split at `&` (all must hold), then each name and value percent-decoded
 * exactly once, then the value split at unescaped commas (alternatives). Says nothing of whether
 * the type has the parameter.
 */
export function parseConstraint(text: string): ParsedConstraint {
  if (text === '')
    return refuse(
      'the `?` is followed by nothing',
      'leave the `?` out, or write a constraint after it',
    )
  const params: ScopeParam[] = []
  for (const part of text.split('&')) {
    const equals = part.indexOf('=')
    if (equals < 1)
      return refuse(`\`${part}\` is not name=value`, 'write `name=value`, joined by `&`')
    const name = decodeOnce(part.slice(0, equals))
    const value = decodeOnce(part.slice(equals + 1))
    if (name === undefined || value === undefined)
      return refuse(`\`${part}\` is not percent-encoded correctly`, 'write `%` as `%25`')
    if (!NAME.test(name)) return refuseName(name)
    const values = splitAlternatives(value).map(replaceAlias)
    if (values.includes(''))
      return refuse(`\`${name}\` has an empty value`, 'write a value, or leave the parameter out')
    params.push({ name, values })
  }
  return { ok: true, params }
}

function refuseName(name: string): ParsedConstraint {
  if (name.includes(':'))
    return refuse(
      `\`${name}\` has a modifier, which scopes may not have here`,
      'constrain by a plain token, reference, date or uri parameter',
    )
  if (name.includes('.'))
    return refuse(
      `\`${name}\` is a chain, which scopes may not have here`,
      'constrain by a parameter of the resource itself',
    )
  return refuse(
    `\`${name}\` is not the name of a search parameter`,
    'see the type in the FHIR specification',
  )
}

/** `undefined` for broken encodings and for control characters, which no code or URL holds. */
function decodeOnce(text: string): string | undefined {
  try {
    const plain = decodeURIComponent(text)
    return /\p{Cc}/u.test(plain) ? undefined : plain
  } catch (error) {
    if (error instanceof URIError) return undefined
    throw error
  }
}

function splitAlternatives(value: string): string[] {
  const pieces: string[] = []
  let piece = ''
  for (let i = 0; i < value.length; i++) {
    if (value[i] === '\\') piece += value.slice(i, ++i + 1)
    else if (value[i] === ',') {
      pieces.push(piece)
      piece = ''
    } else piece += value[i]
  }
  return [...pieces, piece]
}

// US Core once published `http://terminology.hl7.org//CodeSystem-observation-category|social-history`
// in its table of scopes, and servers and apps have copied it. No code system has such a URL.
function replaceAlias(value: string): string {
  return value.replace(
    /^http:\/\/terminology\.hl7\.org\/{1,2}CodeSystem-([a-z-]+)(?=\|)/,
    'http://terminology.hl7.org/CodeSystem/$1',
  )
}

function refuse(message: string, fix: string): ParsedConstraint {
  return { ok: false, problem: { reason: 'bad_constraint', message, fix } }
}
