/** Client metadata that cannot be registered. @see RFC 7591 §3.2.2 */
export class MetadataRefused extends Error {
  override readonly name = 'MetadataRefused'
  readonly error:
    | 'invalid_redirect_uri'
    | 'invalid_client_metadata'
    | 'unapproved_software_statement'

  constructor(error: MetadataRefused['error'], description: string) {
    super(description)
    this.error = error
  }
}
