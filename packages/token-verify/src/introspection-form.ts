/** How an issuer is asked about an opaque token, as far as it is not RFC 7662. */
export interface IntrospectionForm {
  /** Instead of the endpoint that discovery names. */
  readonly url?: string
  /** The name of the form parameter. */
  readonly parameter: string
  /** Whether the answer says so in `active`, or by its status alone: 200 or 400. */
  readonly active: 'member' | 'status'
  /** Whether the server asks without authenticating. */
  readonly isPublic?: boolean
  /** Texts that can be tokens of this issuer, as a regular expression: no others are sent to it. */
  readonly pattern?: string
}

/** @see RFC 7662 §2 */
export const RFC_7662: IntrospectionForm = { parameter: 'token', active: 'member' }
