import { z } from 'zod'
import { admin } from './settings/admin.ts'
import { api } from './settings/api.ts'
import { audit } from './settings/audit.ts'
import { client } from './settings/client.ts'
import { connection } from './settings/connection.ts'
import { explain } from './settings/explain.ts'
import { fhir } from './settings/fhir.ts'
import { issuer } from './settings/issuer.ts'
import { key, keyStore } from './settings/key.ts'
import { launches } from './settings/launches.ts'
import { limits } from './settings/limits.ts'
import { log } from './settings/log.ts'
import { login } from './settings/login.ts'
import { pages } from './settings/pages.ts'
import { passwords } from './settings/passwords.ts'
import { secrets } from './settings/secrets.ts'
import { server } from './settings/server.ts'
import { sessions } from './settings/sessions.ts'
import { sidecar } from './settings/sidecar.ts'
import { storage } from './settings/storage.ts'
import { tokenExchange } from './settings/token-exchange.ts'
import { tokens } from './settings/tokens.ts'

/** Every setting: type, limits, default and description. The file, the schema and the docs follow it. */
export const settings = z.strictObject({
  server,
  admin,
  storage,
  issuers: z.array(issuer).default([]).meta({ description: 'Other issuers.' }),
  fhir,
  apis: z.array(api).default([]).meta({ description: 'Other APIs and web apps.' }),
  clients: z.array(client).default([]).meta({ description: 'Clients that always exist.' }),
  connections: z.array(connection).default([]).meta({
    description: 'Other authorization servers that give tokens to programs here.',
  }),
  sidecar,
  keys: z.array(key).default([]).meta({ description: 'Keys that sign for others.' }),
  keyStore,
  tokens,
  tokenExchange,
  sessions,
  passwords,
  login,
  launches,
  pages,
  audit,
  explain,
  limits,
  log,
  secrets,
})

export type Settings = z.infer<typeof settings>
