/** How clients may sign their assertions. @see SMART 2.2: RS384 or ES384 at least */
export const ASSERTION_ALGORITHMS = [
  'RS384',
  'ES384',
  'RS256',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES512',
  'EdDSA',
] as const
