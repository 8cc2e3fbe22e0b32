import { z } from 'zod'

export const limits = z
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
    signInStartsPerMinute: z.int().min(10).max(10_000_000).default(3000).meta({
      description:
        'Sign-ins begun from one address, those of devices and pushed requests included; above it 429 with Retry-After. More where a whole organisation comes from one address.',
    }),
    signInFailuresPerAddress: z.int().min(5).max(100_000).default(50).meta({
      description:
        'Failed sign-ins of people from one address within an hour, before it has to wait; more where many sit behind one address.',
    }),
  })
  .prefault({})
  .meta({ description: 'Limits.' })
