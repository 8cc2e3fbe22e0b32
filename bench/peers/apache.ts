import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { freePort } from '@scopegate/lab'
import { PEER_SCOPE, type Peer } from './peer.ts'
import { startPeer } from './start-peer.ts'

const MODULES = '/usr/lib/apache2/modules'
const LOADED = [
  ...['mpm_event', 'authn_core', 'authz_core', 'authz_user', 'proxy', 'proxy_http', 'auth_openidc'],
]

/** Apache with mod_auth_openidc as a resource server: local keys, each token verified. */
export const apache: Peer = {
  name: 'Apache mod_auth_openidc',
  verifies: 'each time',
  needs: {
    '/usr/sbin/apache2': 'apache2',
    [`${MODULES}/mod_auth_openidc.so`]: 'libapache2-mod-auth-openidc',
  },
  async start({ folder, upstream, issuer, audience, kid, publicKeyFile }) {
    const port = await freePort()
    const file = join(folder, 'apache.conf')
    const logFile = join(folder, 'apache.log')
    await writeFile(
      file,
      `ServerRoot ${folder}
ServerName 127.0.0.1
Listen 127.0.0.1:${port}
PidFile ${join(folder, 'apache.pid')}
ErrorLog ${logFile}
LogLevel crit
${LOADED.map((name) => `LoadModule ${name}_module ${MODULES}/mod_${name}.so`).join('\n')}
User www-data
Group www-data
StartServers 1
ServerLimit 1
ThreadsPerChild 128
ThreadLimit 128
MaxRequestWorkers 128
MaxKeepAliveRequests 0
KeepAlive On
OIDCCryptoPassphrase not-used-by-resource-servers
OIDCCacheType shm
OIDCOAuthVerifyCertFiles ${kid}#${publicKeyFile}
OIDCOAuthRemoteUserClaim sub
<Location />
  AuthType oauth20
  <RequireAll>
    Require claim iss:${issuer}
    Require claim aud:${audience}
    Require claim "scope~(^|[ ])${PEER_SCOPE}([ ]|$)"
  </RequireAll>
  ProxyPass ${upstream}/ keepalive=On
</Location>
`,
    )
    return startPeer({
      command: '/usr/sbin/apache2',
      args: ['-X', '-d', folder, '-f', file],
      ...{ port, logFile },
    })
  },
}
