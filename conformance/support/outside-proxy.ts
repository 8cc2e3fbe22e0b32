import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { freePort } from '@scopegate/lab'

interface ProxyPlace {
  readonly port: number
  readonly target: number
  readonly folder: string
  /** How long it waits for a request, or for more of one. */
  readonly patienceSeconds: number
}

/** A proxy that was not written here, as operators put one before or behind a gateway. */
export interface OutsideProxy {
  readonly name: string
  readonly command: string
  readonly isInstalled: boolean
  /** Its configuration for a listener at `port` before `target`, both on loopback. */
  readonly configuration: (at: ProxyPlace) => string
  readonly args: (file: string, folder: string) => readonly string[]
}

const nginx: Omit<OutsideProxy, 'isInstalled'> = {
  name: 'nginx',
  command: '/usr/sbin/nginx',
  args: (file, folder) => ['-p', folder, '-c', file, '-e', join(folder, 'error.log')],
  configuration: ({ port, target, folder, patienceSeconds }) => `daemon off;
master_process off;
pid ${folder}/pid;
events { worker_connections 512; }
http {
  access_log off;
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
  keepalive_timeout ${patienceSeconds}s;
  client_header_timeout ${patienceSeconds}s;
  client_body_timeout ${patienceSeconds}s;
  client_max_body_size 0;
  map $http_upgrade $connection_upgrade { default upgrade; '' ''; }
  upstream scopegate { server 127.0.0.1:${target}; keepalive 8; }
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass http://scopegate;
      proxy_http_version 1.1;
      proxy_set_header Host $http_host;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection $connection_upgrade;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_request_buffering off;
      proxy_buffering off;
    }
  }
}
`,
}

const haproxy: Omit<OutsideProxy, 'isInstalled'> = {
  name: 'HAProxy',
  command: '/usr/sbin/haproxy',
  args: (file) => ['-db', '-q', '-f', file],
  configuration: ({ port, target, patienceSeconds }) => `global
  nbthread 1
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  timeout http-request ${patienceSeconds}s
  timeout http-keep-alive ${patienceSeconds}s
  timeout tunnel 60s
frontend outside
  bind 127.0.0.1:${port}
  option forwardfor
  option abortonclose
  default_backend scopegate
backend scopegate
  http-reuse always
  server one 127.0.0.1:${target}
`,
}

export const OUTSIDE_PROXIES: readonly OutsideProxy[] = [nginx, haproxy].map((each) => ({
  ...each,
  isInstalled: existsSync(each.command),
}))

/** Starts it and waits until it takes connections. @throws with its log */
export async function startOutsideProxy(
  proxy: OutsideProxy,
  target: number,
  { patienceSeconds = 2 }: { readonly patienceSeconds?: number } = {},
) {
  const folder = mkdtempSync(join(tmpdir(), 'scopegate-proxy-'))
  const port = await freePort()
  const file = join(folder, 'proxy.conf')
  writeFileSync(file, proxy.configuration({ port, target, folder, patienceSeconds }))
  const child = spawn(proxy.command, proxy.args(file, folder), {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let said = ''
  child.stderr.on('data', (chunk) => {
    said += chunk
  })
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()))
  for (let tries = 0; !(await takesConnections(port)); tries += 1) {
    if (child.exitCode !== null || tries > 400) {
      child.kill('SIGKILL')
      const log = join(folder, 'error.log')
      const logged = existsSync(log) ? readFileSync(log, 'utf8') : ''
      throw new Error(`${proxy.name} did not start: ${said}${logged}`)
    }
    await wait(50)
  }
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    async close() {
      child.kill('SIGTERM')
      await ended
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

function takesConnections(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}
