import type { Connection } from '../connection.ts'
import { basicCredentials, rawBasicCredentials } from './basic-credentials.ts'
import { signAssertion } from './sign-assertion.ts'
import { useSigner } from './use-signer.ts'

/** One way to authenticate a request. A new one is made of it for each request that is sent. */
export interface ClientAttempt {
  /** What is added to the request. Asked again for another request: assertions differ. */
  make(request: AttemptRequest): Promise<AttemptParts>
  /** Its secret, to be taken out of whatever the provider says. */
  readonly secret?: string
  /** `env:LAB_SECRET`. */
  readonly source?: string
  readonly method: string
}

export interface AttemptRequest {
  readonly tokenEndpoint: string
  readonly serverIssuer: string | undefined
  readonly nowMs: number
  readonly jti: string
}

export interface AttemptParts {
  readonly headers: Readonly<Record<string, string>>
  readonly form: Readonly<Record<string, string>>
}

/**
 * How a connection authenticates: one way, and others for the case that it is refused (an older
 * secret; or the form, after Basic, where `client_secret_auto` allows it).
 *
 * @see RFC 6749 §2.3, RFC 7523 §2.2, RFC 8705 §2
 */
export function clientAttempts(connection: Connection): readonly ClientAttempt[] {
  const { authentication, clientId } = connection
  switch (authentication.method) {
    case 'none':
    case 'tls_client_auth':
      return [
        {
          method: authentication.method,
          make: async () => ({ headers: {}, form: { client_id: clientId } }),
        },
      ]
    case 'private_key_jwt': {
      const { assertion: profile, signer } = authentication
      return [
        {
          method: authentication.method,
          async make(request) {
            const assertion = await signAssertion({
              ...request,
              signer: await useSigner(signer),
              profile,
              issuer: clientId,
              subject: clientId,
            })
            return {
              headers: {},
              form: {
                client_id: clientId,
                client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
                client_assertion: assertion,
              },
            }
          },
        },
      ]
    }
    default: {
      const secrets = authentication.secrets()
      const sources = authentication.sources ?? []
      const methods =
        authentication.method === 'client_secret_auto'
          ? (['client_secret_basic', 'client_secret_post'] as const)
          : [authentication.method]
      return secrets.flatMap((secret, index) =>
        methods.map((method) => bySecret(method, clientId, secret, sources[index])),
      )
    }
  }
}

function bySecret(
  method: 'client_secret_basic' | 'client_secret_basic_raw' | 'client_secret_post',
  clientId: string,
  secret: string,
  source: string | undefined,
): ClientAttempt {
  const common = { method, secret, ...(source !== undefined && { source }) }
  if (method === 'client_secret_post') {
    const form = { client_id: clientId, client_secret: secret }
    return { ...common, make: async () => ({ headers: {}, form }) }
  }
  const credentials = method === 'client_secret_basic' ? basicCredentials : rawBasicCredentials
  const headers = { authorization: credentials(clientId, secret) }
  return { ...common, make: async () => ({ headers, form: {} }) }
}
