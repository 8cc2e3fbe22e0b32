import { z } from 'zod'
import { hostAndPort, seconds } from './forms.ts'

export const sidecar = z
  .strictObject({
    listen: hostAndPort.optional().meta({
      description:
        'An address of its own for `/out/…`. Off loopback it is served with `server.tls`, and callers need a token. Default: beside everything else, if that can be reached from this machine only.',
      examples: ['127.0.0.1:8079'],
      fix: 'write `host:port`, such as 127.0.0.1:8079',
      restart: true,
    }),
    callersOnLoopback: z.enum(['open', 'authenticated']).default('open').meta({
      description:
        '`open`: programs on this machine need no token. `authenticated`: they need one as callers from elsewhere do; for machines that others use too.',
    }),
    timeoutSeconds: seconds(1, 86_400).default(300).meta({
      description:
        'How long an `upstream` may take to begin its answer, and be silent between its pieces.',
    }),
    replayBytes: z
      .int()
      .min(0)
      .max(64 * 1024 * 1024)
      .default(1024 * 1024)
      .meta({
        description:
          'A body up to here is kept until the answer comes, to be sent again with a new token after 401.',
      }),
    connectionsPerUpstream: z.int().min(1).max(4096).default(64).meta({
      description: 'Connections to each `upstream` at once; more requests wait.',
    }),
    plainHttpHosts: z
      .array(z.string().regex(/^[A-Za-z0-9.-]{1,253}$/, 'not a host name'))
      .default([])
      .meta({
        description:
          'Hosts, besides loopback, that an `upstream` may name with http: tokens go there in the clear. For networks of which every machine is trusted.',
        examples: [['fhir.internal']],
      }),
  })
  .prefault({})
  .meta({ description: 'The forward sidecar: `/out/<connection>` adds the token.' })
