import type { Command } from 'commander'
import { formatTable } from '../../context.ts'

/** A key set as the admin API shows it. */
export interface KeySetAnswer {
  readonly name: string
  readonly source: 'config' | 'stored'
  readonly algorithms: readonly string[]
  readonly generated?: string
  readonly when_expired: string
  readonly keys: readonly {
    readonly kid: string
    readonly state: 'next' | 'current' | 'retired'
    readonly public_jwk: Readonly<Record<string, unknown>>
    readonly published_at: number
    readonly certificate?: {
      readonly subject: string
      readonly not_after: number
      readonly 'x5t#S256': string
      readonly pem: string
    }
  }[]
  readonly grants: readonly GrantAnswer[]
  readonly warnings: readonly { readonly message: string; readonly fix: string }[]
}

export interface GrantAnswer {
  readonly client?: string
  readonly role?: string
  readonly issuer?: string
  readonly subject?: readonly string[]
  readonly audience: readonly string[]
  readonly max_seconds: number
  readonly claims?: Readonly<Record<string, unknown>>
  readonly algorithms?: readonly string[]
}

export interface CommonOptions {
  readonly url?: string
  readonly json?: boolean
}

export function common(command: Command): Command {
  return command
    .option('--url <url>', 'the server (default: the one this user started last)')
    .option('--json', 'print JSON')
}

export const collect = (value: string, before: readonly string[] = []) => [...before, value]

export function keyPath(name: string, ...rest: readonly string[]): string {
  return ['/keys', ...[name, ...rest].map(encodeURIComponent)].join('/')
}

const STATES = {
  current: 'signs',
  next: 'published, signs after the next rotation',
  retired: 'signs no more; published while what it signed may live',
} as const

/** A set for people: its keys, its grants, what to look at. */
export function describeKeySet(set: KeySetAnswer, jwksUrl: string): string {
  const keys = set.keys.map((key) => [
    key.kid,
    key.state,
    key.certificate ? `${key.certificate.subject}, until ${day(key.certificate.not_after)}` : '',
    STATES[key.state],
  ])
  const grants = set.grants.map((grant) => [
    grant.client === undefined ? `role ${grant.role}` : `client ${grant.client}`,
    [grant.issuer ?? '', grant.subject?.join(' | ') ?? ''].join(' / '),
    grant.audience.join(' '),
    `${grant.max_seconds} s`,
    Object.keys(grant.claims ?? {}).join(' '),
  ])
  return [
    `${set.name}  ${set.algorithms.join(', ')}${set.source === 'config' ? '  (declared in the configuration)' : ''}`,
    `key set  ${jwksUrl}`,
    '',
    formatTable(['kid', 'state', 'certificate', ''], keys),
    '',
    grants.length === 0
      ? `nobody may sign with it: scopegate key grant ${set.name} --client <id> --audience <url>`
      : formatTable(['may sign', 'iss / sub', 'aud', 'life', 'other claims'], grants),
    ...set.warnings.map(({ message, fix }) => `\nwarning: ${message}\n  fix: ${fix}`),
  ].join('\n')
}

export function day(epochSeconds: number): string {
  return new Date(epochSeconds * 1000).toISOString().slice(0, 10)
}
