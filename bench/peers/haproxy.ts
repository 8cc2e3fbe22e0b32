import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { freePort } from '@scopegate/lab'
import { PEER_SCOPE, type Peer } from './peer.ts'
import { startPeer } from './start-peer.ts'

/** HAProxy verifies each token: algorithm, signature, issuer, audience, end, scope. */
export const haproxy: Peer = {
  name: 'HAProxy jwt_verify',
  verifies: 'each time',
  needs: { '/usr/sbin/haproxy': 'haproxy' },
  async start({ folder, upstream, issuer, audience, publicKeyFile }) {
    const port = await freePort()
    const file = join(folder, 'haproxy.cfg')
    await writeFile(
      file,
      `global
  nbthread 1
  maxconn 2000
defaults
  mode http
  timeout connect 5s
  timeout client 30s
  timeout server 30s
frontend guarded
  bind 127.0.0.1:${port}
  http-request set-var(txn.token) http_auth_bearer
  http-request deny deny_status 401 unless { var(txn.token) -m found }
  http-request set-var(txn.alg) var(txn.token),jwt_header_query('$.alg')
  http-request deny deny_status 401 unless { var(txn.alg) -m str RS256 }
  http-request deny deny_status 401 unless { var(txn.token),jwt_verify(txn.alg,"${publicKeyFile}") -m int 1 }
  http-request deny deny_status 401 unless { var(txn.token),jwt_payload_query('$.iss') -m str ${issuer} }
  http-request deny deny_status 401 unless { var(txn.token),jwt_payload_query('$.aud') -m str ${audience} }
  http-request set-var(txn.now) date()
  http-request set-var(txn.left) var(txn.token),jwt_payload_query('$.exp','int'),sub(txn.now)
  http-request deny deny_status 401 if { var(txn.left) -m int lt 0 }
  http-request deny deny_status 403 unless { var(txn.token),jwt_payload_query('$.scope') -m reg (^|\\ )${PEER_SCOPE}(\\ |$) }
  default_backend upstream
backend upstream
  http-reuse always
  server one ${new URL(upstream).host}
`,
    )
    return startPeer({
      command: '/usr/sbin/haproxy',
      args: ['-db', '-q', '-f', file],
      ...{ port, logFile: file },
    })
  },
}
