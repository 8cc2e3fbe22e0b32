import { constants, createPrivateKey, type KeyObject, randomUUID, sign } from 'node:crypto'

/** How this server shows another who it is. @see RFC 6749 §2.3, RFC 7523 §2.2 */
export type ClientAuthentication =
  | { readonly method: 'none' }
  | {
      readonly method: 'client_secret_basic' | 'client_secret_post'
      readonly clientId: string
      readonly secret: string
    }
  | {
      readonly method: 'private_key_jwt'
      readonly clientId: string
      /** PEM (PKCS #8) or a private JWK. */
      readonly privateKey: string
      readonly keyId?: string
      /** What the assertion is for: the issuer, or an address of it. */
      readonly audience: string
    }

export interface ClientCredential {
  readonly form: Readonly<Record<string, string>>
  readonly headers: Readonly<Record<string, string>>
}

const ASSERTION_SECONDS = 60

/**
 * The credential of one request, made anew for each.
 *
 * @throws {TypeError} if the key cannot be read, or is of a kind that is not used here.
 */
export function createClientAuthentication(
  how: ClientAuthentication,
  nowMs: () => number,
): () => ClientCredential {
  switch (how.method) {
    case 'none':
      return () => ({ form: {}, headers: {} })
    case 'client_secret_post':
      return () => ({ form: { client_id: how.clientId, client_secret: how.secret }, headers: {} })
    case 'client_secret_basic': {
      const pair = `${formEncoded(how.clientId)}:${formEncoded(how.secret)}`
      const authorization = `Basic ${Buffer.from(pair).toString('base64')}`
      return () => ({ form: {}, headers: { authorization } })
    }
    case 'private_key_jwt': {
      const key = readKey(how.privateKey)
      const algorithm = algorithmOf(key)
      return () => {
        const now = Math.floor(nowMs() / 1000)
        const input = [
          {
            alg: algorithm.name,
            typ: 'JWT',
            ...(how.keyId === undefined ? {} : { kid: how.keyId }),
          },
          {
            ...{ iss: how.clientId, sub: how.clientId, aud: how.audience, jti: randomUUID() },
            ...{ iat: now, exp: now + ASSERTION_SECONDS },
          },
        ]
          .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
          .join('.')
        const signature = sign(algorithm.hash, Buffer.from(input), { key, ...algorithm.options })
        return {
          form: {
            client_id: how.clientId,
            client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
            client_assertion: `${input}.${signature.toString('base64url')}`,
          },
          headers: {},
        }
      }
    }
  }
}

/** RFC 6749 §2.3.1 has both encoded as in a form before they are joined. */
function formEncoded(text: string): string {
  return new URLSearchParams({ '': text }).toString().slice(1)
}

function readKey(text: string): KeyObject {
  try {
    return text.trimStart().startsWith('{')
      ? createPrivateKey({ key: JSON.parse(text), format: 'jwk' })
      : createPrivateKey(text)
  } catch {
    throw new TypeError('the private key is neither PEM (PKCS #8) nor a JWK')
  }
}

function algorithmOf(key: KeyObject) {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key
  const ec = { dsaEncoding: 'ieee-p1363' } as const
  if (type === 'rsa') {
    return {
      name: 'PS256',
      hash: 'sha256',
      options: { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 },
    }
  }
  if (type === 'ec' && details?.namedCurve === 'prime256v1') {
    return { name: 'ES256', hash: 'sha256', options: ec }
  }
  if (type === 'ec' && details?.namedCurve === 'secp384r1') {
    return { name: 'ES384', hash: 'sha384', options: ec }
  }
  if (type === 'ed25519') return { name: 'EdDSA', hash: null, options: {} }
  throw new TypeError(
    'the private key is of a kind that is not used here: make one of RSA (2048 bits), P-256, P-384 or Ed25519',
  )
}
