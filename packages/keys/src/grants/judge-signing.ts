import type { SignatureAlgorithm } from '../key-signer.ts'
import {
  type ClaimTemplate,
  DEFAULT_HEADERS,
  HEADER_MEMBERS,
  type HeaderMember,
} from './signing-grant.ts'

/** What a caller asks to have signed. */
export interface SigningWish {
  readonly claims: Readonly<Record<string, unknown>>
  readonly alg?: string
  readonly typ?: string
  /** `true` asks for it, `false` for its absence. Default: `x5t#S256` alone. */
  readonly headers?: Readonly<Partial<Record<HeaderMember, boolean>>>
}

/** One thing that was asked for and is not granted, with what is. */
export interface SigningRefusal {
  /** A claim, or a member of the header. */
  readonly member: string
  readonly why: string
  /** What may be asked for, for people. */
  readonly allowed: string
}

export type SigningVerdict =
  | {
      readonly ok: true
      readonly claims: Readonly<Record<string, unknown>>
      readonly alg: SignatureAlgorithm
      readonly typ: string
      readonly headers: ReadonlySet<HeaderMember>
    }
  | { readonly ok: false; readonly refusals: readonly SigningRefusal[] }

export interface SigningFacts {
  /** Of the key; the usual one first. */
  readonly algorithms: readonly SignatureAlgorithm[]
  readonly nowSeconds: number
  /** Not used before. */
  readonly jti: string
}

/** As long as most providers take; longer only when the caller asks and the grant allows. */
const USUAL_SECONDS = 300

const MAX_CLAIM_CHARACTERS = 16_384
const MAX_CLAIM_DEPTH = 32

/**
 * Whether the template allows what is asked for, and what is then signed. Everything that is not
 * allowed is told at once. `iat`, `nbf`, `exp` and `jti` are set here unless the template lets the
 * caller.
 */
export function judgeSigning(
  template: ClaimTemplate,
  wish: SigningWish,
  facts: SigningFacts,
): SigningVerdict {
  const refusals: SigningRefusal[] = []
  const refuse = (member: string, why: string, allowed: string) => {
    refusals.push({ member, why, allowed })
    return undefined
  }
  const { claims: asked } = wish
  // What is compared and written below goes as deep as the value does.
  if (isDeeper(asked, MAX_CLAIM_DEPTH)) {
    refuse('claims', 'are nested too deeply', `${MAX_CLAIM_DEPTH} levels`)
    return { ok: false, refusals }
  }
  const isAsked = (name: string) => Object.hasOwn(asked, name)

  const fixed: (readonly [string, unknown])[] = [
    ['iss', issuerOf(template, asked, refuse)],
    ['sub', subjectOf(template, asked, refuse)],
    ['aud', audienceOf(template, asked, refuse)],
    ['iat', facts.nowSeconds],
    ['nbf', facts.nowSeconds],
    ['exp', expiryOf(template, asked, facts.nowSeconds, refuse)],
    ['jti', facts.jti],
  ]
  const decided = new Set(['aud', 'exp'])
  if (template.issuer !== undefined) decided.add('iss')
  if (template.subjects !== undefined) decided.add('sub')
  const extra = Object.entries(asked).filter(([name]) => !decided.has(name))
  for (const [name, value] of extra) checkExtra(template, name, value, refuse)
  if (JSON.stringify(asked).length > MAX_CLAIM_CHARACTERS) {
    refuse('claims', 'are too much together', `${MAX_CLAIM_CHARACTERS} characters of JSON`)
  }

  const [usual] = template.algorithms ?? facts.algorithms
  const algorithms = template.algorithms ?? facts.algorithms.slice(0, 1)
  const alg = wish.alg ?? usual
  if (!algorithms.some((one) => one === alg) || !facts.algorithms.some((one) => one === alg)) {
    refuse('alg', `is ${shown(alg)}`, algorithms.join(', '))
  }
  const types = template.types ?? ['JWT']
  const typ = wish.typ ?? types[0] ?? 'JWT'
  if (!types.includes(typ)) refuse('typ', `is ${shown(typ)}`, types.join(', '))
  const headers = headersOf(template, wish, refuse)

  if (refusals.length > 0) return { ok: false, refusals }
  const own = fixed.filter(([name, value]) => value !== undefined && !isExtra(name))
  function isExtra(name: string) {
    return !decided.has(name) && isAsked(name)
  }
  return {
    ok: true,
    claims: Object.fromEntries([...own, ...extra]),
    alg: alg as SignatureAlgorithm,
    typ,
    headers,
  }
}

type Refuse = (member: string, why: string, allowed: string) => undefined
type Claims = Readonly<Record<string, unknown>>

function issuerOf({ issuer }: ClaimTemplate, asked: Claims, refuse: Refuse) {
  if (issuer === undefined || !Object.hasOwn(asked, 'iss') || asked.iss === issuer) return issuer
  return refuse('iss', `is ${shown(asked.iss)}`, `\`${issuer}\`, which is put in`)
}

function subjectOf({ subjects }: ClaimTemplate, asked: Claims, refuse: Refuse) {
  if (subjects === undefined) return undefined
  if (!Object.hasOwn(asked, 'sub')) {
    if (subjects.length === 1) return subjects[0]
    return refuse('sub', 'is missing, and there are several', listed(subjects))
  }
  if (subjects.some((one) => one === asked.sub)) return asked.sub
  return refuse('sub', `is ${shown(asked.sub)}`, listed(subjects))
}

function audienceOf({ audiences }: ClaimTemplate, asked: Claims, refuse: Refuse) {
  if (!Object.hasOwn(asked, 'aud')) {
    if (audiences.length === 1) return audiences[0]
    return refuse('aud', 'is missing, and there are several', listed(audiences))
  }
  const { aud } = asked
  const all = Array.isArray(aud) ? aud : [aud]
  const other = all.find((one) => !audiences.some((allowed) => allowed === one))
  if (all.length > 0 && other === undefined) return aud
  return refuse('aud', all.length === 0 ? 'is empty' : `is ${shown(other)}`, listed(audiences))
}

function expiryOf(
  { maxSeconds }: ClaimTemplate,
  asked: Claims,
  nowSeconds: number,
  refuse: Refuse,
) {
  if (!Object.hasOwn(asked, 'exp')) return nowSeconds + Math.min(maxSeconds, USUAL_SECONDS)
  const { exp } = asked
  const within = `up to ${maxSeconds} seconds from now (now is ${nowSeconds})`
  if (!Number.isInteger(exp)) return refuse('exp', 'is not a whole number of seconds', within)
  const seconds = Number(exp) - nowSeconds
  if (seconds >= 1 && seconds <= maxSeconds) return exp
  return refuse('exp', seconds < 1 ? 'is past' : `is ${seconds} seconds from now`, within)
}

/** Times and ids that this server sets, if the template does not leave them to the caller. */
const SET_HERE = new Set(['iat', 'nbf', 'jti'])

function checkExtra({ claims = {} }: ClaimTemplate, name: string, value: unknown, refuse: Refuse) {
  const allowed = Object.hasOwn(claims, name) ? claims[name] : undefined
  if (allowed === 'any') return
  if (allowed !== undefined) {
    if (allowed.some((one) => isSame(one, value))) return
    refuse(name, `is ${shown(value)}`, allowed.map((one) => JSON.stringify(one)).join(', '))
    return
  }
  const names = Object.keys(claims)
  const others = names.length === 0 ? 'no other claims' : `other claims only: ${names.join(', ')}`
  refuse(name, 'is not granted', SET_HERE.has(name) ? 'set by this server; leave it out' : others)
}

function headersOf(
  { headers: allowed = DEFAULT_HEADERS }: ClaimTemplate,
  { headers: asked = {} }: SigningWish,
  refuse: Refuse,
): ReadonlySet<HeaderMember> {
  const chosen = new Set<HeaderMember>()
  for (const member of HEADER_MEMBERS) {
    const isAllowed = allowed.includes(member)
    const wanted = asked[member] ?? (member === 'x5t#S256' && isAllowed)
    if (wanted && !isAllowed) refuse(member, 'is not granted', allowed.join(', ') || 'none of them')
    if (wanted) chosen.add(member)
  }
  return chosen
}

function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  return levels === 0 || Object.values(value).some((each) => isDeeper(each, levels - 1))
}

/** By value; the order of members does not count. */
function isSame(left: unknown, right: unknown): boolean {
  if (typeof left !== 'object' || typeof right !== 'object') return left === right
  if (left === null || right === null) return left === right
  if (Array.isArray(left) !== Array.isArray(right)) return false
  const names = Object.keys(left)
  return (
    names.length === Object.keys(right).length &&
    names.every(
      (name) => Object.hasOwn(right, name) && isSame(left[name as never], (right as Claims)[name]),
    )
  )
}

function listed(values: readonly string[]): string {
  return values.map((value) => `\`${value}\``).join(', ')
}

/** What a caller sent, for the caller: short, on one line. */
function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing'
  return `\`${text.length > 100 ? `${text.slice(0, 100)}…` : text}\``
}
