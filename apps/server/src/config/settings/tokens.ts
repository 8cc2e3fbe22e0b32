import { z } from 'zod'
import { seconds } from './forms.ts'

export const tokens = z
  .strictObject({
    accessTokenSeconds: seconds(10, 300).default(300).meta({
      description:
        'Life of access tokens of client credentials: at most 300, as SMART Backend Services asks.',
      fix: 'write 10 … 300: SMART Backend Services lets tokens of client credentials live five minutes at most, since nobody is there to notice a stolen one; a client asks for the next with its credential',
    }),
    userAccessTokenSeconds: seconds(30, 3600).default(3600).meta({
      description: 'Life of access tokens that act for a user; a client may have its own.',
    }),
    refreshTokenDays: z.int().min(1).max(3650).default(90).meta({
      description: 'Life of a refresh token that is not used; each use gives a new one.',
    }),
    refreshGraceSeconds: seconds(0, 60).default(10).meta({
      description:
        'A refresh that is repeated within this time gets the same answer again; later it ends the whole grant.',
    }),
    openidOnClientCredentials: z.enum(['reject', 'ignore', 'issue']).default('reject').meta({
      description:
        'What `openid` means without a user: `reject` the request, `ignore` the scope, or `issue` it without an ID token, for servers that insist on it.',
    }),
    clockToleranceSeconds: seconds(0, 300).default(30).meta({
      description: 'How far clocks may differ, everywhere in the product.',
    }),
    rotateKeysDays: z.int().min(0).max(3650).default(90).meta({
      description:
        'Days after which another key signs tokens; 0 never. Breaks no token. By hand: `scopegate signing-keys rotate`.',
    }),
  })
  .prefault({})
  .meta({ description: 'Lifetimes.' })
