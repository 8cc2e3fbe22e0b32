import {
  findGrantProblems,
  HEADER_MEMBERS,
  KEY_SET_NAME,
  MAX_SIGNED_SECONDS,
  SIGNATURE_ALGORITHMS,
  WHEN_EXPIRED,
} from '@scopegate/keys'
import { z } from 'zod'
import { templateOf } from '../claim-template.ts'
import { seconds, secretReference } from './forms.ts'

const text = z.string().min(1).max(1000)
const oneOrMore = z.union([text, z.array(text).min(1)])

const material = {
  privateKey: secretReference.optional().meta({
    description:
      'The private key: PEM (PKCS #8, PKCS #1, SEC 1, encrypted or not), a JWK, or a PFX in base64.',
    examples: ['file:/run/secrets/partner1.pem'],
  }),
  pfxFile: text.optional().meta({
    description: 'Or a PFX (PKCS #12) file with its certificate, relative to this file.',
  }),
  passphrase: secretReference.optional().meta({ description: 'Of an encrypted key or a PFX.' }),
  certificateFile: text.optional().meta({
    description: 'Its certificate with the chain, PEM, relative to this file.',
  }),
  kid: text.max(200).optional().meta({
    description: 'What it is called. Default: that of the JWK, or the RFC 7638 thumbprint.',
  }),
}

const exactlyOne = ({ privateKey, pfxFile }: { privateKey?: unknown; pfxFile?: unknown }) =>
  (privateKey === undefined) !== (pfxFile === undefined)
const exactlyOneProblem = {
  message: 'a key comes from exactly one place',
  params: { fix: 'give one of `privateKey` and `pfxFile`' },
}

const grant = z
  .strictObject({
    client: text.optional().meta({ description: 'The client that may sign.' }),
    role: text.optional().meta({ description: 'Or the role whose members may.' }),
    issuer: text.optional().meta({ description: '`iss`, put in.' }),
    subject: oneOrMore.optional().meta({
      description: '`sub`, put in; of several the caller names one.',
    }),
    audience: oneOrMore.meta({
      description: '`aud`: those that a caller may name; one alone is put in.',
      examples: ['https://idp.example/token'],
    }),
    maxSeconds: seconds(1, MAX_SIGNED_SECONDS).default(300).meta({
      description: 'The longest life of what is signed.',
    }),
    claims: z
      .record(text, z.union([z.literal('any'), z.array(z.unknown()).min(1)]))
      .optional()
      .meta({
        description: 'Other claims that the caller may set: to `any` value, or to one of a list.',
        examples: [{ scope: 'any', tenant: ['north', 'south'] }],
      }),
    algorithms: z.array(z.enum(SIGNATURE_ALGORITHMS)).min(1).optional().meta({
      description: 'Which of those of the key. Default: the first.',
    }),
    types: z.array(text).min(1).optional().meta({
      description: 'Values of the header `typ`, the usual one first. Default: `JWT`.',
    }),
    headers: z.array(z.enum(HEADER_MEMBERS)).optional().meta({
      description: 'Header members that may be asked for. Default: all but `jku`.',
    }),
  })
  .refine(({ client, role }) => (client === undefined) !== (role === undefined), {
    message: 'a grant is for one client or one role',
    params: { fix: 'give one of `client` and `role`' },
  })
  .superRefine((value, context) => {
    for (const { path, message, fix } of findGrantProblems(templateOf(value))) {
      context.addIssue({ code: 'custom', path: [...path], message, params: { fix } })
    }
  })

export const key = z
  .strictObject({
    name: z.string().regex(KEY_SET_NAME, 'not a-z, 0-9, `.`, `_` and `-`, at most 63').meta({
      description: 'Names it in addresses: `<server.url>/keys/<name>/jwks.json`.',
      fix: 'use a-z, 0-9 and `-`, such as `partner1`',
    }),
    ...material,
    algorithms: z.array(z.enum(SIGNATURE_ALGORITHMS)).min(1).optional().meta({
      description: 'What it signs with, the usual one first. Default: RS256, ES256 … by its kind.',
    }),
    whenExpired: z.enum(WHEN_EXPIRED).default('refuse').meta({
      description: 'What becomes of signing once its certificate has expired.',
    }),
    next: z
      .strictObject(material)
      .refine(exactlyOne, exactlyOneProblem)
      .optional()
      .meta({ description: 'The key that follows: published now, so that verifiers know it.' }),
    grants: z.array(grant).default([]).meta({ description: 'Who may have what signed.' }),
  })
  .refine(exactlyOne, exactlyOneProblem)
  .meta({
    description:
      'A key that signs without being seen, read-only elsewhere; others are made with `scopegate key`.',
  })

export const keyStore = z
  .strictObject({
    allowExport: z.boolean().default(false).meta({
      description:
        'Whether a private key may be given out at all: encrypted, to who has the scope admin/keys.export.',
    }),
    signaturesPerMinute: z.int().min(1).max(1_000_000).default(6000).meta({
      description: 'Signatures that one client gets from one server; more are answered with 429.',
    }),
  })
  .prefault({})
  .meta({ description: 'How keys that sign for others are used; see docs/reference/keys.md.' })
