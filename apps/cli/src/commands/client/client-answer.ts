/** A client as the admin API answers. */
export interface ClientAnswer {
  readonly client_id: string
  readonly name: string
  readonly source: string
  readonly grants: readonly string[]
  readonly scopes: string
  readonly authentication: string
  readonly disabled: boolean
  readonly client_secret?: string
  readonly token_endpoint?: string
  readonly curl?: string
  readonly kit?: Readonly<Record<string, string>>
}

export interface CommonOptions {
  readonly url?: string
  readonly json?: boolean
}

export const clientPath = (id: string) => `/clients/${encodeURIComponent(id)}`
