import type {
  AdminAuditEntry,
  AdminAuditQuery,
  AdminEvent,
  Trace,
  TraceQuery,
} from '@scopegate/audit'

/** A key that signs our tokens, as operators see it; nothing of it is secret. */
export interface SigningKeyView {
  readonly kid: string
  readonly alg: string
  /** `next`: signs after the next rotation. `retired`: its last tokens may still live. */
  readonly state: 'next' | 'current' | 'retired'
  /** Epoch seconds. */
  readonly createdAt: number
  readonly retiredAt?: number
}

export interface SigningKeys {
  list(): Promise<readonly SigningKeyView[]>
  /** Breaks no token. */
  rotate(): Promise<{ readonly kid: string; readonly retired: string }>
}

/** One resource on its way in: its exact text, and where the user finds it. */
export interface ImportItem {
  readonly line: number
  /** Position in the Bundle that stands on the line. */
  readonly entry?: number
  readonly text: string
}

export interface ImportResult {
  readonly type?: string
  readonly id?: string
  readonly outcome: 'in' | 'unchanged' | 'refused'
  /** Why refused: which element, what is wrong; no values of patient data. */
  readonly why?: string
}

/** Keeps ids; the same id with the same content is `unchanged`. Answers in the order of the items. */
export interface ResourceImporter {
  importBatch(items: readonly ImportItem[]): Promise<readonly ImportResult[]>
}

export interface TraceReader {
  list(query: TraceQuery): Promise<readonly Trace[]>
  /** Traces as they come. Missing: not offered. */
  follow?(query: TraceQuery, signal: AbortSignal): AsyncIterable<Trace>
}

/** What one check of the installation found. */
export interface DoctorFinding {
  /** What was looked at: `issuer https://idp.example`. */
  readonly subject: string
  readonly check: string
  readonly outcome: 'pass' | 'warn' | 'fail'
  /** What was found, without secrets. */
  readonly found: string
  readonly fix?: string
  /** A row of docs/provider-errors.md. */
  readonly code?: string
}

export interface DoctorReport {
  /** The worst of the findings. */
  readonly outcome: 'pass' | 'warn' | 'fail'
  readonly findings: readonly DoctorFinding[]
}

export interface AdminAudit {
  /** @throws when the entry could not be written. */
  recordAdmin(event: AdminEvent): Promise<void>
  verify(): Promise<AuditVerification>
  /** Entries, newest first. */
  readonly list?: (query: AdminAuditQuery) => Promise<readonly AdminAuditEntry[]>
}

export interface AuditVerification {
  readonly intact: boolean
  readonly entries: number
  /** What is wrong, and from which entry on. */
  readonly problem?: string
}

/** What runs, for people and monitoring; no patient data. */
export interface ServerStatus {
  readonly version: string
  readonly url: string
  readonly startedAt: number
  readonly ready: boolean
  readonly endpoints: readonly { readonly name: string; readonly url: string }[]
  readonly storage: { readonly kind: 'embedded' | 'external'; readonly serverVersion?: string }
  readonly resourceCounts: Readonly<Record<string, number>>
  readonly clientCount: number
  /** Missing where it is never read again. */
  readonly configuration?: ConfigurationStatus
}

/** Which configuration is in force, and how its last change went. Names of settings, no values. */
export interface ConfigurationStatus {
  /** Counts from 1 at the start; the next with every change that came into force. */
  readonly revision: number
  /** Epoch seconds; when this revision came into force. */
  readonly loadedAt: number
  /** The last time that it was read again and was not the same. */
  readonly lastReload?: {
    /** Epoch seconds. */
    readonly at: number
    /** `refused`: there are problems, and what was in force stays. */
    readonly outcome: 'applied' | 'refused'
    readonly changed: readonly string[]
    /** Changed in the file, and not in force before the next start. */
    readonly needsRestart: readonly string[]
    readonly problems: readonly string[]
  }
}

/** A user as operators see it; never with a password or another secret. */
export interface UserView {
  readonly id: string
  readonly username: string
  readonly name: string
  readonly email?: string
  readonly fhirUser?: string
  readonly roles: readonly string[]
  readonly disabled: boolean
  readonly locale?: string
  readonly secondFactors: readonly string[]
  readonly mustChangePassword: boolean
  /** `false`: signs in at somebody's issuer only. */
  readonly hasPassword: boolean
  /** Epoch seconds. */
  readonly createdAt: number
}

export interface NewUser {
  readonly username: string
  readonly name?: string
  readonly email?: string
  readonly fhirUser?: string
  readonly roles?: readonly string[]
  readonly locale?: string
  readonly disabled?: boolean
  /** Missing: one is made, shown once, to be changed at the first sign-in. `null`: none. */
  readonly password?: string | null
}

/** `null` clears. */
export interface UserChanges {
  readonly username?: string
  readonly name?: string
  readonly email?: string | null
  readonly fhirUser?: string | null
  readonly roles?: readonly string[]
  readonly locale?: string | null
  readonly disabled?: boolean
}

export type UserAnswer<Value> =
  | ({ readonly ok: true } & Value)
  /** `fix` says what to do; both are shown to the operator. */
  | {
      readonly ok: false
      readonly status: 400 | 404 | 409 | 503
      readonly why: string
      readonly fix?: string
    }

/** Who may sign in. Passwords that are made here come out once. */
export interface UserRegistry {
  list(query: {
    readonly text?: string
    readonly cursor?: string
    readonly count?: number
  }): Promise<{ readonly users: readonly UserView[]; readonly next?: string }>
  find(id: string): Promise<UserView | undefined>
  findByUsername(username: string): Promise<UserView | undefined>
  add(
    user: NewUser,
  ): Promise<UserAnswer<{ readonly user: UserView; readonly oneTimePassword?: string }>>
  /** Disabling ends all sessions. */
  update(id: string, changes: UserChanges): Promise<UserAnswer<{ readonly user: UserView }>>
  /** Ends all sessions. */
  setPassword(
    id: string,
    choice: { readonly password?: string; readonly mustChange?: boolean },
  ): Promise<UserAnswer<{ readonly user: UserView; readonly oneTimePassword?: string }>>
  /** Ends all sessions. */
  removeSecondFactors(id: string): Promise<UserAnswer<{ readonly user: UserView }>>
  remove(id: string): Promise<UserAnswer<object>>
}

export interface UserSessionView {
  readonly id: string
  readonly amr: readonly string[]
  /** Epoch seconds. */
  readonly authTime: number
  readonly seenAt: number
  readonly expiresAt: number
  readonly address?: string
  readonly device?: string
}

export interface UserSessions {
  /** Those that live, the latest used first. */
  listOf(userId: string): Promise<readonly UserSessionView[]>
  /** @returns how many */
  endAllOf(userId: string): Promise<number>
}

/** How far a change of the master key is; ids of keys only. */
export interface MasterKeyStatus {
  readonly state: 'done' | 'waiting' | 'resealing' | 'blocked'
  readonly current: string
  /** Needed by every server until the change is done. */
  readonly former: readonly string[]
  /** Values that former keys have sealed. */
  readonly remaining: number
  readonly remainingByColumn: readonly { readonly column: string; readonly rows: number }[]
  /** Values that no key opens. */
  readonly unreadable: number
  readonly servers: readonly {
    readonly name: string
    readonly knows: readonly string[]
    readonly seals: string
  }[]
  /** Servers that do not seal with the current key yet. */
  readonly waitingFor: readonly string[]
}

/** The key that seals what is stored, and its change while servers run. */
export interface MasterKeyChange {
  status(): Promise<MasterKeyStatus>
  /** Begins, or tells how far it is; `refused` says what to do first. */
  begin(options: {
    readonly to?: string
    readonly leaveUnreadable?: boolean
  }): Promise<MasterKeyStatus | { readonly refused: string }>
}
