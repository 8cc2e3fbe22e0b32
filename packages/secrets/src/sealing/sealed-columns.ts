/** The values of a row's key columns, and of `with`, as the database gives them. */
export type SealedRow = Readonly<Record<string, string | Buffer>>

/** A column whose values are sealed. */
export interface SealedColumn {
  readonly table: string
  readonly column: string
  /** The primary key, with the types of its columns. */
  readonly key: Readonly<Record<string, 'text' | 'bytea' | 'integer'>>
  /** What each value is sealed for: as the package that writes it has it. */
  readonly place: (row: SealedRow) => string
  /** Other columns that `inside` needs. */
  readonly with?: readonly string[]
  /** Places of sealed text inside of the sealed text. */
  readonly inside?: (row: SealedRow) => readonly string[]
}

/**
 * Every column of the database that holds sealed text: what a change of the master key seals anew.
 * Whoever adds such a column adds it here; conformance/secrets-sealing.test.ts finds those who did not.
 * Cookies and launches under way are sealed too; they are stored nowhere and end by themselves.
 */
export const SEALED_COLUMNS: readonly SealedColumn[] = [
  {
    table: 'sealing_root',
    column: 'sealed',
    key: { id: 'integer' },
    place: () => 'sealing_root',
  },
  {
    table: 'signing_key',
    column: 'sealed_jwk',
    key: { kid: 'text' },
    place: ({ kid }) => `signing_key:${kid}`,
  },
  {
    table: 'identity_user',
    column: 'sealed_password',
    key: { id: 'text' },
    place: ({ id }) => `identity_user.password:${id}`,
  },
  {
    table: 'identity_totp',
    column: 'sealed_secret',
    key: { user_id: 'text' },
    place: ({ user_id }) => `identity_totp.secret:${user_id}`,
  },
  {
    table: 'identity_totp',
    column: 'pending_secret',
    key: { user_id: 'text' },
    place: ({ user_id }) => `identity_totp.secret:${user_id}`,
  },
  {
    table: 'engine_model',
    column: 'payload',
    key: { model: 'text', id: 'bytea' },
    place: ({ model, id }) => `engine_model:${model}:${hex(id)}`,
  },
  {
    table: 'refresh_answer',
    column: 'answer',
    key: { id: 'bytea' },
    place: ({ id }) => `refresh_answer:${hex(id)}`,
  },
  {
    table: 'web_session',
    column: 'sealed',
    key: { id: 'text' },
    place: ({ id }) => `web_session:${id}`,
    with: ['api'],
    // The hint for logout was sealed before the session was.
    inside: ({ api }) => [`web-login:${api}:upstream-logout-hint`],
  },
  {
    table: 'broker_token',
    column: 'sealed',
    key: { key: 'text' },
    place: ({ key }) => `broker_token:${key}`,
  },
  {
    table: 'broker_gate',
    column: 'sealed',
    key: { key: 'text' },
    place: ({ key }) => `broker_gate:${key}`,
  },
  {
    table: 'broker_grant',
    column: 'sealed',
    key: { key: 'text' },
    place: ({ key }) => `broker_grant:${key}`,
  },
  {
    table: 'sign_key',
    column: 'sealed',
    key: { set_name: 'text', kid: 'text' },
    place: ({ set_name, kid }) => `sign_key:${set_name}:${kid}`,
  },
]

function hex(id: string | Buffer | undefined): string {
  return Buffer.from(id ?? '').toString('hex')
}
