import { createHash, createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'
import {
  type ClientAuth,
  ClientSecretBasic,
  ClientSecretPost,
  modifyAssertion,
  PrivateKeyJwt,
} from 'openid-client'
import { type ResolvedProvider, UpstreamProviderError } from './upstream-provider.ts'

/**
 * How requests to the token endpoint are authenticated. A secret goes into the form where the
 * provider lists that, since encodings of HTTP Basic differ among them, else by HTTP Basic, the
 * default of the metadata.
 *
 * @throws {UpstreamProviderError} when key or certificate cannot be read.
 * @see RFC 8414 §2 token_endpoint_auth_methods_supported, RFC 7523 §2.2
 */
export function createClientAuthentication(provider: ResolvedProvider): ClientAuth {
  const { authentication } = provider
  if (authentication.method === 'private_key_jwt') return byKey(provider)
  const post = ClientSecretPost(authentication.secret)
  const basic = ClientSecretBasic(authentication.secret)
  return (server, client, body, headers) => {
    const listed = server.token_endpoint_auth_methods_supported
    const chosen = listed?.includes('client_secret_post') ? post : basic
    return chosen(server, client, body, headers)
  }
}

function byKey(provider: ResolvedProvider): ClientAuth {
  if (provider.authentication.method !== 'private_key_jwt') throw new TypeError('not by key')
  const { privateKey, keyId, certificate } = provider.authentication
  const key = readKey(provider.name, privateKey)
  const thumbprint = certificate === undefined ? {} : thumbprintOf(provider.name, certificate, key)
  const algorithm = algorithmOf(provider.name, key)
  // Node's own type of the key and the browser's differ in name only.
  const cryptoKey = key.toCryptoKey(algorithm, false, ['sign']) as CryptoKey
  return (server, client, body, headers) => {
    const authenticate = PrivateKeyJwt(
      { key: cryptoKey, ...(keyId === undefined ? {} : { kid: keyId }) },
      {
        [modifyAssertion](header, payload) {
          Object.assign(header, thumbprint)
          if (provider.rules.assertionAudience === 'token_endpoint' && server.token_endpoint) {
            payload.aud = server.token_endpoint
          }
        },
      },
    )
    return authenticate(server, client, body, headers)
  }
}

function readKey(name: string, text: string): KeyObject {
  try {
    if (!text.trimStart().startsWith('{')) return createPrivateKey(text)
    return createPrivateKey({ key: JSON.parse(text), format: 'jwk' })
  } catch {
    // The cause could quote the key.
    throw new UpstreamProviderError(
      `the private key of provider \`${name}\` cannot be read: write a PEM file (PKCS #8, not encrypted) or a private JWK`,
    )
  }
}

function algorithmOf(name: string, key: KeyObject) {
  switch (key.asymmetricKeyType) {
    case 'rsa':
      return { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }
    case 'ec': {
      const curve = key.asymmetricKeyDetails?.namedCurve
      if (curve === 'prime256v1') return { name: 'ECDSA', namedCurve: 'P-256' }
      if (curve === 'secp384r1') return { name: 'ECDSA', namedCurve: 'P-384' }
      break
    }
    case 'ed25519':
      return { name: 'Ed25519' }
  }
  throw new UpstreamProviderError(
    `the private key of provider \`${name}\` is of a kind that is not used here: make one of RSA (2048 bits), P-256, P-384 or Ed25519`,
  )
}

/** Entra knows keys by the thumbprint of their certificate. @see RFC 7515 §4.1.8 */
function thumbprintOf(name: string, pem: string, key: KeyObject): { readonly 'x5t#S256': string } {
  let certificate: X509Certificate
  try {
    certificate = new X509Certificate(pem)
  } catch (cause) {
    throw new UpstreamProviderError(`the certificate of provider \`${name}\` is no PEM`, { cause })
  }
  if (!certificate.checkPrivateKey(key)) {
    throw new UpstreamProviderError(
      `the certificate of provider \`${name}\` belongs to another key than its private key`,
    )
  }
  return { 'x5t#S256': createHash('sha256').update(certificate.raw).digest('base64url') }
}
