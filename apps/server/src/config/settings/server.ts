import { z } from 'zod'
import { httpUrl, seconds } from './forms.ts'

/** What `server.url` is when nobody says so; with `server.tls.local` the other. */
export const DEFAULT_URL = 'http://127.0.0.1:8080'
export const DEFAULT_TLS_URL = 'https://localhost:8443'

export const server = z
  .strictObject({
    url: httpUrl.default(DEFAULT_URL).meta({
      description: `Where clients reach this server: the issuer of its tokens and the base of every address. Plain http only on loopback. With \`server.tls.local\` the default is ${DEFAULT_TLS_URL}.`,
      fix: 'write the address that clients use, such as https://fhir.example.org',
    }),
    listen: z
      .string()
      .regex(/^(\[[0-9a-fA-F:]+\]|[^:]+):\d{1,5}$/, 'not `host:port`')
      .optional()
      .meta({
        description: 'The address and port to listen on. Default: host and port of `server.url`.',
        examples: ['0.0.0.0:8080', '[::1]:8080'],
        fix: 'write `host:port`, such as 0.0.0.0:8080',
      }),
    tls: z
      .strictObject({
        certFile: z
          .string()
          .min(1)
          .optional()
          .meta({ description: 'PEM file, the certificate with its chain.' }),
        keyFile: z.string().min(1).optional().meta({ description: 'PEM file, the private key.' }),
        local: z.boolean().default(false).meta({
          description:
            'Instead of files: a certificate of a CA that this server makes in its data directory and that clients must be told to trust. For development and trials; see docs/reference/tls.md.',
        }),
        names: z
          .array(z.string())
          .default([])
          .meta({
            description:
              'With `local`: host names and IP addresses, besides localhost and the host of `server.url`.',
            examples: [['fhir.lab.example', '192.168.1.20']],
          }),
      })
      .optional()
      .meta({ description: 'Serve https.' }),
    behindTlsProxy: z.boolean().default(false).meta({
      description:
        'Declares that a proxy in front of this server ends TLS: plain http is then accepted on any address.',
    }),
    trustedProxies: z
      .array(
        z.union([z.cidrv4(), z.cidrv6(), z.ipv4(), z.ipv6()]).meta({
          fix: 'write an address or a network, such as 10.0.0.0/8 or fd00::/8',
        }),
      )
      .default([])
      .meta({
        description:
          'Proxies in front of this server whose `X-Forwarded-For` counts: addresses and networks. That header of others is taken out.',
        examples: [['10.0.0.0/8', '::1']],
      }),
    clientCertificates: z.enum(['none', 'tls', 'proxy']).default('none').meta({
      description:
        'Where the certificates of clients are known from, for tokens that are bound to one (RFC 8705): this server asks for them, or one of `trustedProxies` does and writes them into a header. `none`: such tokens are refused.',
    }),
    clientCertificateHeader: z
      .string()
      .regex(/^[A-Za-z][A-Za-z0-9-]{0,63}$/, 'not the name of a header')
      .default('Client-Cert')
      .meta({
        description:
          'With `proxy`: that header, as RFC 9440 has it or as PEM with percent encoding (nginx: `$ssl_client_escaped_cert`). It is taken out of what others send.',
      }),
    drainSeconds: seconds(0, 300).default(10).meta({
      description: 'How long requests in flight may take to finish after SIGTERM.',
    }),
  })
  .prefault({})
  .meta({ description: 'Addresses.', restart: true })
