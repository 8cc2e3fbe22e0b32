import type { AdminRoute } from './call.ts'
import { verifyAudit } from './routes/audit.ts'
import { backUp } from './routes/backup.ts'
import { addClient, listClients, removeClient, rotateSecret, showClient } from './routes/clients.ts'
import { explain } from './routes/explain.ts'
import { importResources } from './routes/import.ts'
import { listKeys, rotateKeys } from './routes/keys.ts'
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
