import { z } from 'zod'
import { httpUrl, seconds } from './forms.ts'

export const server = z
  .strictObject({
    url: httpUrl.default('http://127.0.0.1:8080').meta({
      description:
        'Where clients reach this server: the issuer of its tokens and the base of every address. Plain http only on loopback.',
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
          .meta({ description: 'PEM file, the certificate with its chain.' }),
        keyFile: z.string().min(1).meta({ description: 'PEM file, the private key.' }),
      })
      .optional()
      .meta({ description: 'Serve https with this certificate.' }),
    behindTlsProxy: z.boolean().default(false).meta({
      description:
        'Declares that a proxy in front of this server ends TLS: plain http is then accepted on any address.',
    }),
    drainSeconds: seconds(0, 300).default(10).meta({
      description: 'How long requests in flight may take to finish after SIGTERM.',
    }),
  })
  .prefault({})
  .meta({ description: 'Addresses.' })
