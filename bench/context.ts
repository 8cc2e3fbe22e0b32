import type pg from 'pg'
import type { BenchServer } from './server-process.ts'

/** What every scenario gets: a running server with data in it, and tokens for it. */
export interface BenchContext {
  readonly server: BenchServer
  readonly fhir: string
  /** The database under the server, for the same SQL without us. */
  readonly pool: pg.Pool
  readonly clientId: string
  readonly clientSecret: string
  /** A public client of people. */
  readonly app: { readonly clientId: string; readonly redirectUri: string }
  /** Signs assertions of the client that authenticates with a key. */
  readonly assertions: (count: number) => Promise<readonly string[]>
  /** A token of the bench client; for the FHIR endpoint unless `audience` says otherwise. */
  token(scope: string, audience?: string): Promise<string>
  readonly seconds: number
}
