import { AUTH_MODES, AUTH_SCHEMES, IDENTITY_FIELDS } from '@scopegate/api-gateway'
import { z } from 'zod'
import { httpUrl, seconds } from './forms.ts'

const text = z.string().min(1).max(500)
const headerName = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9-]{0,63}$/, 'not the name of a header')
  .meta({ fix: 'use letters, digits and `-`, such as X-User' })

const identityField = z.union([
  z.enum(IDENTITY_FIELDS),
  z.templateLiteral(['claim:', z.string().min(1)]),
])

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'QUERY'] as const

const scopeNames = z.array(
  z
    .string()
    .regex(/^[\x21\x23-\x5b\x5d-\x7e]{1,200}$/, 'not a scope')
    .meta({
      fix: 'write one scope per entry, without spaces, quotes and backslashes',
    }),
)

const route = z
  .strictObject({
    path: z
      .string()
      .regex(
        /^\/(?:(?:[A-Za-z0-9._~!$&'()+,;=:@-]+|\{[A-Za-z0-9_-]+\})\/)*(?:[A-Za-z0-9._~!$&'()+,;=:@-]*|\{[A-Za-z0-9_-]+\}|\*)$/,
        'not a path below the API',
      )
      .meta({
        description:
          'Below the API: `/transfer`; `{name}` stands for one segment, `*` at the end for everything below.',
        examples: ['/accounts/{id}', '/public/*'],
        fix: 'write a path such as /transfer, /accounts/{id} or /public/*',
      }),
    methods: z.array(z.enum(METHODS)).default([]).meta({
      description: 'Default: every method. `GET` includes `HEAD`.',
    }),
    public: z.boolean().default(false).meta({
      description: 'Nobody is asked who they are.',
    }),
    scopes: scopeNames.default([]).meta({
      description: 'Scopes that a token must hold, all of them.',
      examples: [['bank.transfer.write']],
    }),
    anyOf: z
      .array(scopeNames.min(1))
      .optional()
      .meta({
        description: 'Lists of scopes of which a token must hold one whole, beside `scopes`.',
        examples: [[['bank.read'], ['bank.audit', 'bank.all']]],
      }),
    roles: z.array(text).default([]).meta({
      description: 'Roles of which a user must have one, with their prefix.',
    }),
  })
  .refine(
    (value) =>
      !value.public ||
      [value.scopes, value.roles, value.anyOf ?? []].every(({ length }) => length === 0),
    {
      message: 'public, and yet it asks for scopes or roles',
      params: { fix: 'remove `public`, or remove `scopes` and `roles`' },
    },
  )

const login = z
  .strictObject({
    provider: z.string().min(1).default('self').meta({
      description: 'Where people sign in: `self`, or one of `login.providers`.',
    }),
    scopes: scopeNames.default(['openid']).meta({ description: 'Scopes to ask for.' }),
    sessionIdleMinutes: z.int().min(1).max(1440).default(30).meta({
      description: 'Who did nothing for so long signs in again.',
    }),
    sessionAbsoluteHours: z.int().min(1).max(720).default(12).meta({
      description: 'Who signed in so long ago signs in again.',
    }),
    afterLogout: z
      .string()
      .regex(/^\/(?:[^/\\].*)?$/, 'not a path of this server')
      .optional()
      .meta({
        description: 'Where browsers go after logout. Default: the path of the API.',
        fix: 'write a path that begins with one slash, such as /bank/goodbye',
      }),
    origins: z
      .array(z.string().regex(/^https?:\/\/[^/?#@\s]+$/, 'not an origin'))
      .default([])
      .meta({
        description:
          'Origins whose pages may send requests that change something, beside the own one.',
        examples: [['https://app.example.org']],
        fix: 'write scheme, host and port only: https://app.example.org',
      }),
    cookiePath: z
      .string()
      .regex(/^\/[A-Za-z0-9._~/-]*$/, 'not a path')
      .optional()
      .meta({
        description:
          'The path that cookies of the sign-in are for. Default: with https the whole host (`__Host-`), else the path of the API.',
        fix: 'write the path of the API, or one above it',
      }),
  })
  .prefault({})

const auth = z
  .strictObject({
    mode: z.enum(AUTH_MODES).default('bearer').meta({
      description:
        '`bearer`: callers send tokens. `login`: browsers sign in. `both`: a token if there is one, else the session of the browser.',
    }),
    schemes: z.array(z.enum(AUTH_SCHEMES)).min(1).default(['oauth2']).meta({
      description:
        'Schemes of `Authorization`. `basic`: user name and password of a user kept here, for a transition. With both, a request may bring either; brings it both, both must pass.',
    }),
    trust: z.array(text).min(1).default(['self']).meta({
      description: 'Issuers whose tokens are accepted: `self`, or one listed in `issuers`.',
    }),
    audiences: z
      .array(text)
      .default([])
      .meta({
        description: "Further accepted audiences; the API's own URL always is one.",
        examples: [['bank-monitor']],
      }),
    requiredScopes: scopeNames.default([]).meta({
      description: 'Scopes without which nothing is open but public routes.',
    }),
    username: text.default('sub').meta({
      description: 'The claim that names the user, or a JSON pointer to it.',
      examples: ['preferred_username', '/user/login'],
    }),
    roles: z
      .strictObject({
        from: text.default('scope').meta({
          description: 'The claim that holds roles, a list or words; or a JSON pointer to it.',
          examples: ['/realm_access/roles'],
        }),
        prefix: z.string().max(100).default('').meta({ description: 'Put before each role.' }),
      })
      .prefault({})
      .meta({ description: 'Which roles a user has.' }),
    basicScopes: scopeNames.default([]).meta({
      description:
        'With `basic`: what a user with a password may do, as if a token held these scopes.',
    }),
    login: login.meta({ description: 'With `mode: login` or `both`.' }),
  })
  .prefault({})

const forward = z
  .strictObject({
    headers: z
      .record(headerName, identityField)
      .default({})
      .meta({
        description:
          'Header and what it carries: `username`, `subject`, `scopes`, `roles`, `client`, `issuer`, or `claim:` with a claim or JSON pointer. Copies that callers send never arrive.',
        examples: [{ 'X-User': 'username', 'X-Scopes': 'scopes' }],
      }),
    jwt: z
      .strictObject({
        header: headerName.default('X-Identity').meta({ description: 'The header it is sent in.' }),
        audience: text.optional().meta({ description: 'Its `aud`. Default: the name of the API.' }),
        seconds: seconds(10, 3600).default(60).meta({ description: 'How long it lives.' }),
      })
      .optional()
      .meta({
        description:
          'A JWT that says who calls, signed by this server; its keys are at `/oauth/jwks`.',
      }),
    token: z
      .strictObject({
        connection: z.string().min(1).max(64).meta({ description: 'The name of a connection.' }),
      })
      .optional()
      .meta({
        description:
          'The upstream gets the token of a connection as `Authorization`. Without one, nothing is sent to it.',
        examples: [{ connection: 'lab' }],
      }),
    authorization: z.enum(['strip', 'keep']).default('strip').meta({
      description: 'Whether the upstream sees the credentials of the caller.',
    }),
  })
  .prefault({})

export const api = z
  .strictObject({
    name: z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9 ._-]{0,63}$/, 'not a name')
      .meta({
        description: 'What it is called; also the realm of its challenges.',
        fix: 'use letters, digits, spaces, `.`, `_` and `-`, at most 64',
      }),
    path: z
      .string()
      .regex(/^(?:\/[A-Za-z0-9._~-]+)+$/, 'not an absolute path')
      .refine((path) => !/\/\.{1,2}(?:\/|$)/.test(path), 'a path with dot segments')
      .meta({
        description: 'Where it is mounted; with `server.url` in front, the audience of its tokens.',
        examples: ['/bank'],
        fix: 'write a path such as /bank, without a slash at its end',
      }),
    keepPath: z.boolean().default(false).meta({
      description: 'Whether the upstream sees `path` in front of the rest.',
    }),
    upstream: httpUrl
      .refine((url) => !/[?#]/.test(url), 'a URL with a query or fragment')
      .meta({
        description: 'Where the API really is; a path in it is put before that of the request.',
        examples: ['http://127.0.0.1:9000'],
      }),
    origins: z
      .array(
        z.union([z.literal('*'), z.string().regex(/^https?:\/\/[^/?#@\s*]+$/, 'not an origin')]),
      )
      .default([])
      .meta({
        description:
          'Web origins whose scripts may call it with a token and read its answers (CORS), or `*`. Cookies do not come with such calls. Default: none; then only the upstream says something of it.',
        examples: [['https://app.example.org']],
        fix: 'write scheme, host and port only, such as https://app.example.org, or `*`',
      }),
    openapi: z
      .string()
      .min(1)
      .optional()
      .meta({
        description:
          'Its OpenAPI description (3.x, YAML or JSON), relative to this file: operations become routes, their security requirements scopes. `routes` go before them.',
        examples: ['./bank.openapi.yaml'],
      }),
    auth: auth.meta({ description: 'Who may call.' }),
    routes: z.array(route).default([]).meta({
      description: 'What is passed on, and what it needs. A request that fits none is refused.',
    }),
    scopes: z
      .record(z.string(), text)
      .default({})
      .meta({
        description:
          'What scopes permit, in words for the page where users consent. Those that routes need are known without it.',
        examples: [{ 'bank.balance.read': 'See your balance' }],
      }),
    forward: forward.meta({ description: 'What the upstream is told of the caller.' }),
    maxBodyBytes: z
      .int()
      .min(0)
      .max(Number.MAX_SAFE_INTEGER)
      .default(1024 ** 3)
      .meta({ description: 'Largest request body; larger ones are answered 413.' }),
    connections: z.int().min(1).max(4096).default(32).meta({
      description:
        'Connections to the upstream at once. Half of them may be held by requests whose bodies still come.',
    }),
    minBodyBytesPerSecond: z.int().min(0).max(1_000_000_000).default(1024).meta({
      description:
        'How fast a body must come while others wait for its place; slower for 10 s is answered 408. 0: any pace will do.',
    }),
    timeoutSeconds: seconds(1, 3600).default(30).meta({
      description: 'How long the upstream may take to begin its answer, and between its pieces.',
    }),
  })
  .refine((value) => value.openapi !== undefined || value.routes.length > 0, {
    message: 'no routes: nothing would be passed on',
    params: {
      fix: 'list `routes`, such as { path: /*, methods: [GET] }, or name an `openapi` file',
    },
  })
  .meta({ description: 'An ordinary API or web app that is protected by declaration.' })
