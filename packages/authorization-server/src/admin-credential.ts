import { ADMIN_SCOPES } from '@scopegate/oauth-model'

/** The client of whoever runs the server. */
export const COMMAND_LINE = {
  id: 'scopegate-cli',
  name: 'scopegate command line',
  scopes: ADMIN_SCOPES.join(' '),
} as const

/** What the command line needs to get a token for the admin API. */
export interface AdminCredential {
  readonly client_id: string
  readonly client_secret: string
  readonly token_endpoint: string
  /** The admin API, if there is one. */
  readonly resource: string
  readonly scope: string
}
