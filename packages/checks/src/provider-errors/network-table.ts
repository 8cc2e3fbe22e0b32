import type { ProviderErrorRow } from './provider-error.ts'

const ANY = ['any'] as const

/** No answer came. The codes are those of Node, undici and OpenSSL. */
export const NETWORK_ERRORS = {
  network_name: {
    kind: 'network',
    providers: ANY,
    when: [{ nodeCode: ['ENOTFOUND', 'EAI_AGAIN', 'EAI_NODATA', 'EAI_NONAME'] }],
    cause: 'the name {host} cannot be resolved here ({nodeCode})',
    fix: 'check its spelling and the DNS of this machine or container; names that only a proxy resolves need `proxy` ({proxy} is in use)',
    examples: [{ nodeCode: 'ENOTFOUND' }, { nodeCode: 'EAI_AGAIN' }],
  },
  network_refused: {
    kind: 'network',
    providers: ANY,
    when: [{ nodeCode: ['ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH', 'EHOSTDOWN'] }],
    cause:
      '{host} takes no connection from here ({nodeCode}): wrong port, not running, or a firewall; {proxy} is in use',
    fix: 'try `curl -v` from this machine; where the way out is a proxy, set `proxy` of {connection} or HTTPS_PROXY',
    examples: [{ nodeCode: 'ECONNREFUSED' }],
  },
  network_timeout: {
    kind: 'network',
    providers: ANY,
    when: [
      { finding: 'timeout' },
      {
        nodeCode: [
          'ETIMEDOUT',
          'UND_ERR_CONNECT_TIMEOUT',
          'UND_ERR_HEADERS_TIMEOUT',
          'UND_ERR_BODY_TIMEOUT',
        ],
      },
    ],
    cause: '{host} did not answer in time; {proxy} is in use',
    fix: 'a firewall that drops packets looks like this: try `curl -v` from this machine; where the way out is a proxy, set `proxy` of {connection} or HTTPS_PROXY',
    examples: [{ finding: 'timeout' }, { nodeCode: 'UND_ERR_CONNECT_TIMEOUT' }],
  },
  network_broken: {
    kind: 'network',
    providers: ANY,
    when: [
      {
        nodeCode: [
          'ECONNRESET',
          'EPIPE',
          'UND_ERR_SOCKET',
          'UND_ERR_CLOSED',
          'HPE_INVALID_CONSTANT',
          'HPE_INVALID_HEADER_TOKEN',
        ],
      },
    ],
    cause: 'the connection to {host} broke off before the answer was complete ({nodeCode})',
    fix: 'nothing at first: it is tried again where that is safe; if it stays, see {proxy} and the logs of the provider',
    examples: [{ nodeCode: 'ECONNRESET' }, { nodeCode: 'UND_ERR_SOCKET' }],
  },
  request_aborted: {
    kind: 'temporary',
    providers: ANY,
    when: [{ nodeCode: ['ABORT_ERR'] }],
    cause:
      'the request was given up here before {host} had answered: whoever asked went away, or the server stops',
    fix: 'nothing: the next caller asks again',
    examples: [{ nodeCode: 'ABORT_ERR' }],
  },
  proxy_authentication: {
    kind: 'network',
    providers: ANY,
    when: [{ status: [407] }],
    cause: 'the proxy on the way wants a user name and password ({proxy})',
    fix: 'put them into the proxy address, by reference to a secret, or have this machine allowed there',
    examples: [{ status: 407 }],
  },
  tls_protocol: {
    kind: 'network',
    providers: ANY,
    when: [
      {
        nodeCode: [
          'EPROTO',
          'ERR_SSL_WRONG_VERSION_NUMBER',
          'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION',
          'ERR_SSL_PACKET_LENGTH_TOO_LONG',
          'ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE',
        ],
      },
    ],
    cause:
      '{host} does not speak TLS on that port, or no version of it that is allowed here ({nodeCode})',
    fix: 'check the port, and whether the address should be http on loopback; servers with TLS 1.0 and 1.1 only must be updated',
    examples: [{ nodeCode: 'EPROTO' }, { nodeCode: 'ERR_SSL_WRONG_VERSION_NUMBER' }],
  },
  tls_client_certificate: {
    kind: 'configuration',
    providers: ANY,
    when: [
      {
        nodeCode: [
          'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED',
          'ERR_SSL_TLSV1_ALERT_UNKNOWN_CA',
          'ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE',
          'ERR_SSL_SSLV3_ALERT_CERTIFICATE_UNKNOWN',
          'ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED',
        ],
      },
    ],
    cause:
      '{host} wants a client certificate, or does not take the one that was shown ({nodeCode})',
    fix: 'set `certificate` of {connection}, with its chain, to the one registered there; `scopegate key list` shows when it expires',
    examples: [{ nodeCode: 'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED' }],
  },
  tls_untrusted: {
    kind: 'configuration',
    providers: ANY,
    when: [
      {
        nodeCode: [
          'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
          'SELF_SIGNED_CERT_IN_CHAIN',
          'DEPTH_ZERO_SELF_SIGNED_CERT',
          'UNABLE_TO_GET_ISSUER_CERT',
          'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
        ],
      },
    ],
    cause:
      'the certificate of {host} is of an authority that is not trusted here ({nodeCode}): a private one, a missing intermediate, or a firewall that opens TLS',
    fix: 'set `ca` of {connection} to the file of that authority; certificate checks are never switched off',
    examples: [
      { nodeCode: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' },
      { nodeCode: 'SELF_SIGNED_CERT_IN_CHAIN' },
    ],
  },
  tls_expired: {
    kind: 'configuration',
    providers: ANY,
    when: [{ nodeCode: ['CERT_HAS_EXPIRED', 'CERT_NOT_YET_VALID'] }],
    cause: 'the certificate of {host} is not valid at this time ({nodeCode}); {skew}',
    fix: 'whoever runs {host} renews it; check the clock here too',
    examples: [{ nodeCode: 'CERT_HAS_EXPIRED' }],
  },
  tls_other_name: {
    kind: 'configuration',
    providers: ANY,
    when: [{ nodeCode: ['ERR_TLS_CERT_ALTNAME_INVALID'] }],
    cause:
      'the certificate at {host} is for other names: another server answers, or the address is an alias that is not in it',
    fix: 'use a name that stands in the certificate; `scopegate doctor connection {connection}` shows them',
    examples: [{ nodeCode: 'ERR_TLS_CERT_ALTNAME_INVALID' }],
  },
} as const satisfies Record<string, ProviderErrorRow>
