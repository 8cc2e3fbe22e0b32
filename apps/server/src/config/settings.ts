import { z } from 'zod'

/** What a secret must look like in a configuration file: a place to read it from, never the value. */
export const SECRET_REFERENCE = /^(env:[A-Za-z_][A-Za-z0-9_]*|file:.+)$/

const secretReference = z
  .string()
  .regex(SECRET_REFERENCE, 'a secret stands here itself; only a reference to it may')
  .meta({
    description: 'A secret reference: `env:NAME` or `file:/run/secrets/name`.',
    examples: ['env:DATABASE_URL', 'file:/run/secrets/database-url'],
    fix: 'put the value into an environment variable or a file and write `env:NAME` or `file:/path` here',
    secret: true,
  })

const httpUrl = z
  .url({ protocol: /^https?$/, error: 'not an http or https URL' })
  .refine((url) => !hasPassword(url), 'a URL with a user name or password in it')
  .meta({ fix: 'write a full URL such as https://idp.example, without credentials' })

function hasPassword(text: string): boolean {
  const url = URL.parse(text)
  return url !== null && (url.username !== '' || url.password !== '')
}

const seconds = (least: number, most: number) => z.int().min(least).max(most)

const server = z
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

const storage = z
  .strictObject({
    dir: z.string().min(1).default('.scopegate').meta({
      description:
        'The data directory: the embedded database and the master key. Relative to this file.',
    }),
    url: secretReference.optional().meta({
      description:
        'Your own PostgreSQL (15 or newer) instead of the embedded one; a reference, because the URL holds a password.',
      examples: ['env:DATABASE_URL'],
    }),
    poolSize: z.int().min(2).max(200).default(10).meta({
      description: 'Connections to the database.',
    }),
  })
  .prefault({})
  .meta({ description: 'Where data is kept.' })

const issuer = z
  .strictObject({
    issuer: httpUrl.meta({ description: 'The `iss` of its tokens, exactly.' }),
    keysUrl: httpUrl.optional().meta({ description: 'Its JWK set. Default: from its discovery.' }),
    keysFile: z.string().min(1).optional().meta({
      description: 'Its JWK set in a file, relative to this file.',
    }),
    algorithms: z
      .array(
        z.enum([
          'RS256',
          'RS384',
          'RS512',
          'PS256',
          'PS384',
          'PS512',
          'ES256',
          'ES384',
          'ES512',
          'EdDSA',
        ]),
      )
      .min(1)
      .optional()
      .meta({ description: 'Signature algorithms accepted. Default: every asymmetric one.' }),
    typ: z.enum(['at+jwt', 'any']).default('any').meta({
      description:
        '`at+jwt`: its access tokens say so in their header (RFC 9068). `any`: they do not; what is recognisably an ID token is refused all the same.',
    }),
  })
  .refine((value) => !(value.keysUrl && value.keysFile), {
    message: 'both `keysUrl` and `keysFile`',
    params: { fix: 'keep one of them' },
  })
  .meta({ description: 'An issuer whose tokens an endpoint may trust.' })

const fhirEndpoint = z
  .strictObject({
    path: z
      .string()
      .regex(/^\/[A-Za-z0-9._~/-]*[A-Za-z0-9._~-]$/, 'not an absolute path')
      .default('/fhir/r4')
      .meta({
        description: 'Where the endpoint is mounted.',
        fix: 'write a path such as /fhir/r4',
      }),
    audiences: z.array(z.string().min(1)).default([]).meta({
      description: "Further accepted audiences; the endpoint's own URL always is one.",
    }),
    trust: z.array(z.string().min(1)).min(1).default(['self']).meta({
      description: 'Issuers whose tokens are accepted here: `self`, or one listed in `issuers`.',
    }),
    backend: z.enum(['repository']).default('repository').meta({
      description: '`repository`: the resources are kept here.',
    }),
    compartment: z.enum(['definition', 'guarded', 'primary']).default('guarded').meta({
      description:
        "Which resources `patient/` scopes reach: the compartment definition's; the same without those whose subject is another patient (`guarded`); only those whose subject is the patient (`primary`).",
    }),
    userPolicy: z.enum(['all', 'none']).default('none').meta({
      description: 'What `user/` scopes reach for a practitioner: everything, or nothing.',
    }),
    sharedTypes: z
      .record(z.string(), z.enum(['none', 'reachable', 'all']))
      .default({})
      .meta({
        description:
          'What `patient/` scopes see of types outside the patient compartment. Default `all` for Practitioner, PractitionerRole, Organization, Location, HealthcareService, Medication, Endpoint and Substance, `none` for every other.',
        examples: [{ Organization: 'reachable' }],
      }),
    updateCreate: z.boolean().default(false).meta({
      description:
        'Whether PUT to a new id creates it. Never under a constrained token, whatever is set here.',
    }),
    pageSize: z.int().min(1).max(1000).default(50).meta({
      description: 'Search results per page when `_count` is not given.',
    }),
    maxPageSize: z.int().min(1).max(5000).default(1000).meta({
      description: 'The largest `_count` honoured.',
    }),
  })
  .prefault({})

const fhir = z
  .strictObject({ r4: fhirEndpoint.meta({ description: 'The FHIR R4 endpoint.' }) })
  .prefault({})
  .meta({ description: 'Protected FHIR endpoints.' })

const client = z
  .strictObject({
    id: z
      .string()
      .regex(/^[A-Za-z0-9_-]{1,64}$/, 'not letters, digits, `_` and `-`, at most 64')
      .meta({
        description: 'The `client_id`.',
        fix: 'use letters, digits, `_` and `-`, at most 64: OAuth libraries differ in how they encode others',
      }),
    name: z.string().min(1).optional().meta({ description: 'What people call it.' }),
    secret: secretReference
      .optional()
      .meta({ description: 'Its secret, for client_secret_basic and _post.' }),
    jwksFile: z.string().min(1).optional().meta({
      description: 'Its public keys for private_key_jwt, relative to this file.',
    }),
    jwksUrl: httpUrl.optional().meta({ description: 'Where its public keys are.' }),
    grants: z
      .array(z.enum(['client_credentials']))
      .min(1)
      .default(['client_credentials'])
      .meta({
        description: 'Grant types it may use.',
      }),
    scopes: z
      .string()
      .min(1)
      .meta({
        description: 'The most it may be granted, separated by spaces.',
        examples: ['system/Observation.rs?category=laboratory'],
      }),
  })
  .refine((value) => [value.secret, value.jwksFile, value.jwksUrl].filter(Boolean).length === 1, {
    message: 'a client authenticates in exactly one way',
    params: { fix: 'give one of `secret`, `jwksFile` and `jwksUrl`' },
  })
  .meta({
    description: 'A client that always exists; others are added with `scopegate client add`.',
  })

const tokens = z
  .strictObject({
    accessTokenSeconds: seconds(10, 300).default(300).meta({
      description:
        'Life of access tokens of client credentials: at most 300, as SMART Backend Services asks.',
      fix: 'write 10 … 300: SMART Backend Services lets tokens of client credentials live five minutes at most, since nobody is there to notice a stolen one; a client asks for the next with its credential',
    }),
    clockToleranceSeconds: seconds(0, 300).default(30).meta({
      description: 'How far clocks may differ, everywhere in the product.',
    }),
    rotateKeysDays: z.int().min(0).max(3650).default(90).meta({
      description:
        'Days after which another key signs tokens; 0 never. Breaks no token. By hand: `scopegate keys rotate`.',
    }),
  })
  .prefault({})
  .meta({ description: 'Lifetimes.' })

const audit = z
  .strictObject({
    mode: z.enum(['required', 'best-effort']).default('required').meta({
      description:
        '`required`: a request whose audit entry cannot be written is refused. `best-effort`: it is answered.',
    }),
    retentionDays: z.int().min(1).max(36_500).default(3650).meta({
      description: 'How long access and admin audit entries are kept.',
    }),
    traceLimit: z.int().min(0).max(10_000_000).default(100_000).meta({
      description:
        'How many explained requests are kept for `scopegate explain` and the admin API.',
    }),
  })
  .prefault({})
  .meta({ description: 'What is recorded.' })

const limits = z
  .strictObject({
    bodyBytes: z.int().min(1024).max(1_073_741_824).default(16_777_216).meta({
      description: 'The largest request body; above it 413.',
    }),
    bundleBytes: z.int().min(1024).max(1_073_741_824).default(67_108_864).meta({
      description: 'The largest batch or transaction.',
    }),
    bundleEntries: z.int().min(1).max(100_000).default(5000).meta({
      description: 'The most entries of a batch or transaction.',
    }),
    answerSeconds: z.int().min(1).max(600).default(10).meta({
      description:
        'How long a search, or another request that reads, may keep the database busy; then it is cancelled, and refused as too costly.',
    }),
    batchSeconds: z.int().min(1).max(3600).default(60).meta({
      description:
        'How long the entries of a batch may take together; those that no longer fit are answered 503 and not carried out.',
    }),
    tokenRequestsPerMinute: z.int().min(1).max(10_000_000).default(60_000).meta({
      description: 'Token requests of one client; above it 429 with Retry-After.',
    }),
    authenticationFailuresPerMinute: z.int().min(1).max(1_000_000).default(60).meta({
      description:
        'Failed client authentications, and refused tokens, of one address; above it 429 with Retry-After.',
    }),
  })
  .prefault({})
  .meta({ description: 'Limits.' })

const log = z
  .strictObject({
    level: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace']).default('info').meta({
      description: 'The least important line that is written.',
    }),
    format: z.enum(['auto', 'json', 'text']).default('auto').meta({
      description: '`auto`: text on a terminal, JSON elsewhere.',
    }),
  })
  .prefault({})
  .meta({ description: 'Logs, on standard output.' })

const secrets = z
  .strictObject({
    masterKeyFile: z.string().min(1).optional().meta({
      description:
        'Seals signing keys at rest. Default: `master.key` in `storage.dir`; made at the first start, mode 0600. Several servers on one database need the same. Keep a copy apart from database backups.',
    }),
  })
  .prefault({})
  .meta({ description: 'Keys that protect secrets at rest.' })

/** Every setting: type, limits, default and description. The file, the schema and the docs follow it. */
export const settings = z.strictObject({
  server,
  storage,
  issuers: z.array(issuer).default([]).meta({ description: 'Other issuers.' }),
  fhir,
  clients: z.array(client).default([]).meta({ description: 'Clients that always exist.' }),
  tokens,
  audit,
  limits,
  log,
  secrets,
})

export type Settings = z.infer<typeof settings>
