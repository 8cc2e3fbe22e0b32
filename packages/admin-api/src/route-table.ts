import type { AdminRoute } from './call.ts'
import { verifyAudit } from './routes/audit.ts'
import { backUp } from './routes/backup.ts'
import { showKit, showKitPart } from './routes/client-kit.ts'
import {
  addClient,
  changeClient,
  listClients,
  removeClient,
  rotateSecret,
  showClient,
} from './routes/clients.ts'
import { explain } from './routes/explain.ts'
import { listGrants, revokeGrant, revokeGrantsOfUser } from './routes/grants.ts'
import { importResources } from './routes/import.ts'
import { listKeys, rotateKeys } from './routes/keys.ts'
import { createLaunch } from './routes/launches.ts'
import {
  addRegistrationToken,
  listRegistrationTokens,
  removeRegistrationToken,
} from './routes/registration-tokens.ts'
import { describeApi, showStatus } from './routes/status.ts'
import { listTraces } from './routes/traces.ts'

/** Every address of the admin API with the scope it takes. There is no route without one. */
export const ADMIN_ROUTES: readonly AdminRoute[] = [
  {
    method: 'GET',
    path: '/clients',
    scope: 'admin/clients.read',
    summary: 'List clients',
    handle: listClients,
  },
  {
    method: 'POST',
    path: '/clients',
    scope: 'admin/clients.write',
    action: 'client.create',
    summary: 'Add a client; the answer shows its secret once',
    handle: addClient,
  },
  {
    method: 'GET',
    path: '/clients/:id',
    scope: 'admin/clients.read',
    summary: 'Show a client',
    handle: showClient,
  },
  {
    method: 'PATCH',
    path: '/clients/:id',
    scope: 'admin/clients.write',
    action: 'client.change',
    summary: 'Change, disable or enable a client; `null` sets a member back to its default',
    handle: changeClient,
  },
  {
    method: 'DELETE',
    path: '/clients/:id',
    scope: 'admin/clients.write',
    action: 'client.remove',
    summary: 'Remove a client',
    handle: removeClient,
  },
  {
    method: 'POST',
    path: '/clients/:id/secret',
    scope: 'admin/clients.write',
    action: 'client.rotate-secret',
    summary:
      'Replace the secret; the answer shows the new one once, the former goes on for overlap_seconds (a day)',
    handle: rotateSecret,
  },
  {
    method: 'GET',
    path: '/clients/:id/kit',
    scope: 'admin/clients.read',
    summary: 'Files to try a client with: curl, Postman, Bruno, .http; without its secret',
    handle: showKit,
  },
  {
    method: 'GET',
    path: '/clients/:id/kit/:part',
    scope: 'admin/clients.read',
    summary: 'One of curl, postman, environment, http, bruno',
    handle: showKitPart,
  },
  {
    method: 'GET',
    path: '/registration-tokens',
    scope: 'admin/clients.read',
    summary: 'List the initial access tokens of dynamic registration',
    handle: listRegistrationTokens,
  },
  {
    method: 'POST',
    path: '/registration-tokens',
    scope: 'admin/clients.write',
    action: 'registration-token.create',
    summary: 'Let somebody register clients within limits; the answer shows the token once',
    handle: addRegistrationToken,
  },
  {
    method: 'DELETE',
    path: '/registration-tokens/:id',
    scope: 'admin/clients.write',
    action: 'registration-token.remove',
    summary: 'End an initial access token; clients registered with it stay',
    handle: removeRegistrationToken,
  },
  {
    method: 'POST',
    path: '/launches',
    scope: 'admin/launches.write',
    action: 'launch.create',
    summary: 'Make the handle that an EHR launches an app with; it works once',
    handle: createLaunch,
  },
  {
    method: 'GET',
    path: '/grants',
    scope: 'admin/grants.read',
    summary: 'List what users have given clients; `user` and `client` narrow it',
    handle: listGrants,
  },
  {
    method: 'DELETE',
    path: '/grants',
    scope: 'admin/grants.write',
    action: 'grant.revoke-all',
    summary: 'End everything that the user `user` has given',
    handle: revokeGrantsOfUser,
  },
  {
    method: 'DELETE',
    path: '/grants/:id',
    scope: 'admin/grants.write',
    action: 'grant.revoke',
    summary: 'End a grant with its tokens',
    handle: revokeGrant,
  },
  {
    method: 'POST',
    path: '/import',
    scope: 'admin/import.write',
    action: 'import',
    summary: 'Import resources as NDJSON; the answer streams progress and ends with a report',
    handle: importResources,
  },
  {
    method: 'GET',
    path: '/traces',
    scope: 'admin/traces.read',
    summary: 'Find explained requests by correlation id, client, outcome',
    handle: listTraces,
  },
  {
    method: 'POST',
    path: '/explain',
    scope: 'admin/explain.read',
    summary: 'Explain what a request under a token or claims would get, without making it',
    handle: explain,
  },
  {
    method: 'GET',
    path: '/audit/verification',
    scope: 'admin/audit.read',
    summary: 'Check that no audit entry was changed or removed',
    handle: verifyAudit,
  },
  {
    method: 'POST',
    path: '/backup',
    scope: 'admin/backup.write',
    action: 'backup',
    summary: 'The whole database as one archive; holds clinical data and hashed secrets',
    handle: backUp,
  },
  {
    method: 'GET',
    path: '/keys',
    scope: 'admin/keys.read',
    summary: 'List the keys that sign tokens, without their private part',
    handle: listKeys,
  },
  {
    method: 'POST',
    path: '/keys/rotate',
    scope: 'admin/keys.write',
    action: 'keys.rotate',
    summary: 'Sign with the next key from now on; breaks no token',
    handle: rotateKeys,
  },
  {
    method: 'GET',
    path: '/status',
    scope: 'admin/status.read',
    summary: 'What runs',
    handle: showStatus,
  },
  {
    method: 'GET',
    path: '/openapi.json',
    scope: 'admin/status.read',
    summary: 'This description',
    handle: describeApi,
  },
]
