import type { Migration } from '../migrate.ts'
import * as fhir from './0001-fhir.ts'
import * as oauth from './0002-oauth.ts'
import * as audit from './0003-audit.ts'
import * as clients from './0004-clients.ts'
import * as identity from './0005-identity.ts'
import * as revocations from './0006-revocations.ts'
import * as grants from './0007-grants.ts'
import * as webSessions from './0008-web-sessions.ts'
import * as broker from './0009-broker.ts'
import * as keys from './0010-keys.ts'
import * as sealing from './0011-sealing.ts'

/**
 * Every migration, oldest first: file `NNNN-name.ts` exports `name` (`NNNN-name`) and `up(client)`.
 * Add a line at the end; never change or reorder one that was released.
 */
export const migrations: readonly Migration[] = [
  fhir,
  oauth,
  audit,
  clients,
  identity,
  revocations,
  grants,
  webSessions,
  broker,
  keys,
  sealing,
]
