import { z } from 'zod'
import { hostAndPort, httpUrl } from './forms.ts'

export const admin = z
  .strictObject({
    listen: hostAndPort.optional().meta({
      description:
        'An address of its own for the admin API and the page of the doctor, which then answer nowhere else. Plain http on loopback; elsewhere with `server.tls`, or behind a proxy (`server.behindTlsProxy`). Default: beside everything else.',
      examples: ['127.0.0.1:9090'],
      fix: 'write `host:port`, such as 127.0.0.1:9090',
    }),
    url: httpUrl.optional().meta({
      description:
        'With `listen`: where clients reach it, and the base of the audience of its tokens. Default: that address on loopback; elsewhere the host of `server.url` with that port.',
      examples: ['https://admin.fhir.example.org'],
      fix: 'write the address that operators use, such as https://admin.fhir.example.org',
    }),
  })
  .prefault({})
  .meta({ description: 'The admin API: `/admin/api`.', restart: true })
