import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { freePort } from '@scopegate/lab'
import { PEER_SCOPE, type Peer, type PeerJob } from './peer.ts'
import { startPeer } from './start-peer.ts'

const MODULES = '/usr/lib/nginx/modules'

/** nginx passes on what comes, and verifies nothing: the least that a proxy costs. */
export const nginxProxy: Peer = {
  name: 'nginx proxy without any check',
  verifies: 'never',
  needs: { '/usr/sbin/nginx': 'nginx' },
  start: (job) => startNginx(job, '', ''),
}

/**
 * nginx verifies each token in Lua, with the bindings of OpenSSL that Debian has (there is no package
 * of lua-resty-jwt): algorithm, signature, issuer, audience, end, scope.
 */
export const nginxLua: Peer = {
  name: 'nginx + Lua',
  verifies: 'each time',
  needs: {
    '/usr/sbin/nginx': 'nginx',
    [`${MODULES}/ngx_http_lua_module.so`]: 'libnginx-mod-http-lua',
    '/usr/lib/x86_64-linux-gnu/lua/5.1/_openssl.so': 'lua-luaossl',
    '/usr/lib/x86_64-linux-gnu/lua/5.1/cjson.so': 'lua-cjson',
  },
  async start(job) {
    const script = join(job.folder, 'guard.lua')
    await writeFile(script, luaOf(job))
    const modules = ['ndk_http_module', 'ngx_http_lua_module']
    return startNginx(
      job,
      modules.map((name) => `load_module ${MODULES}/${name}.so;\n`).join(''),
      `init_by_lua_block { guard = dofile("${script}") }`,
      'access_by_lua_block { guard() }',
    )
  },
}

async function startNginx(job: PeerJob, modules: string, http: string, location = '') {
  const port = await freePort()
  const file = join(job.folder, `nginx-${port}.conf`)
  const logFile = join(job.folder, `nginx-${port}.log`)
  const at = (name: string) => join(job.folder, `${name}-${port}`)
  await writeFile(
    file,
    `${modules}daemon off;
master_process off;
pid ${at('pid')};
error_log ${logFile} warn;
events { worker_connections 1024; }
http {
  access_log off;
  client_body_temp_path ${at('body')};
  proxy_temp_path ${at('proxy')};
  fastcgi_temp_path ${at('fastcgi')};
  uwsgi_temp_path ${at('uwsgi')};
  scgi_temp_path ${at('scgi')};
  keepalive_requests 1000000;
  ${http}
  upstream one { server ${new URL(job.upstream).host}; keepalive 32; keepalive_requests 1000000; }
  server {
    listen 127.0.0.1:${port};
    location / {
      ${location}
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_pass http://one;
    }
  }
}
`,
  )
  return startPeer({
    command: '/usr/sbin/nginx',
    args: ['-p', job.folder, '-c', file, '-e', logFile],
    ...{ port, logFile },
  })
}

function luaOf({ publicKeyFile, issuer, audience }: PeerJob): string {
  return `local pkey = require 'openssl.pkey'
local digest = require 'openssl.digest'
local json = require 'cjson.safe'
local file = assert(io.open('${publicKeyFile}'))
local key = pkey.new(file:read('*a'))
file:close()

local function decoded(part)
  local text = part:gsub('-', '+'):gsub('_', '/')
  return ngx.decode_base64(text .. string.rep('=', -#text % 4))
end

local function has(value, wanted)
  if type(value) ~= 'table' then return value == wanted end
  for _, each in ipairs(value) do if each == wanted then return true end end
  return false
end

return function()
  local header = ngx.var.http_authorization
  local head, body, tail = (header or ''):match('^Bearer ([%w_-]+)%.([%w_-]+)%.([%w_-]+)$')
  if not head then return ngx.exit(401) end
  local protected = json.decode(decoded(head) or '')
  if type(protected) ~= 'table' or protected.alg ~= 'RS256' then return ngx.exit(401) end
  local hash = digest.new('sha256')
  hash:update(head .. '.' .. body)
  local good, verified = pcall(key.verify, key, decoded(tail) or '', hash)
  if not good or not verified then return ngx.exit(401) end
  local claims = json.decode(decoded(body) or '')
  if type(claims) ~= 'table' or claims.iss ~= '${issuer}' then return ngx.exit(401) end
  if not has(claims.aud, '${audience}') then return ngx.exit(401) end
  if type(claims.exp) ~= 'number' or claims.exp < ngx.time() then return ngx.exit(401) end
  if not (' ' .. (claims.scope or '') .. ' '):find(' ${PEER_SCOPE} ', 1, true) then
    return ngx.exit(403)
  end
end
`
}
