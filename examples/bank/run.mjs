#!/usr/bin/env node
// Starts the bank and the server in front of it, adds two users, and prints what to try.
//
//   node examples/bank/run.mjs [--port 8080] [--bank-port 9000] [--app-port 9010]
//
// Everything is made anew at every start and gone at the end (Ctrl-C).
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { startBank } from './bank.mjs'

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '8080' },
    'bank-port': { type: 'string', default: '9000' },
    // Where `sign-in.mjs` waits for browsers to come back.
    'app-port': { type: 'string', default: '9010' },
  },
})
const url = `http://127.0.0.1:${values.port}`
const cli = fileURLToPath(new URL('../../apps/cli/bin/scopegate.mjs', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'scopegate-bank-'))
const secret = () => randomBytes(24).toString('base64url')
const environment = {
  ...process.env,
  // The commands below find the server's administrator here, not in your own folder.
  XDG_CONFIG_HOME: join(folder, 'config'),
  BANK_MONITOR_SECRET: process.env.BANK_MONITOR_SECRET ?? secret(),
  BANK_DEMO_SECRET: process.env.BANK_DEMO_SECRET ?? secret(),
}
const passwords = { user1: secret(), user2: secret() }

const bank = await startBank(Number(values['bank-port']))
const configFile = join(folder, 'scopegate.yaml')
const written = readFileSync(new URL('scopegate.yaml', import.meta.url), 'utf8')
writeFileSync(
  configFile,
  written
    .replace('http://127.0.0.1:8080', url)
    .replaceAll('http://127.0.0.1:9010', `http://127.0.0.1:${values['app-port']}`)
    .replace('http://127.0.0.1:9000', `http://127.0.0.1:${bank.address().port}`),
)

const server = spawn(
  process.execPath,
  [cli, 'up', '--config', configFile, '--data', join(folder, 'data'), '--no-sample', '--json'],
  { env: environment, stdio: ['ignore', 'pipe', 'inherit'] },
)
let log = ''
server.stdout.on('data', (chunk) => {
  log = `${log}${chunk}`.slice(-100_000)
})
server.once('exit', (code) => {
  bank.close()
  rmSync(folder, { recursive: true, force: true })
  if (code !== 0) process.stderr.write(log)
  process.exit(code ?? 1)
})
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => server.kill(signal))

while (!(await fetch(`${url}/readyz`).catch(() => ({ ok: false }))).ok) {
  await new Promise((resolve) => setTimeout(resolve, 100))
}
await Promise.all(Object.entries(passwords).map(([name, password]) => addUser(name, password)))

console.log(`The bank is open at ${url}/bank. As an app that may read (in another terminal):

${tokenLine('MONITOR', 'bank-monitor', environment.BANK_MONITOR_SECRET, 'bank.balance.read')}
curl -s ${url}/bank/checkbalance -H "Authorization: Bearer $MONITOR"
${transferLine('MONITOR')}

The last one is refused: read WWW-Authenticate. As an app that may transfer:

${tokenLine('DEMO', 'bank-demo', environment.BANK_DEMO_SECRET, 'bank.balance.read bank.transfer.write')}
${transferLine('DEMO')}
curl -s ${url}/bank/checkbalance -H "Authorization: Bearer $DEMO"

As people: user1 (password ${passwords.user1}) and user2 (password ${passwords.user2})

BANK_URL=${url} CLIENT_SECRET=${environment.BANK_DEMO_SECRET} node examples/bank/sign-in.mjs bank-demo

Why a request was refused, with the correlation id from its answer:

XDG_CONFIG_HOME=${environment.XDG_CONFIG_HOME} node apps/cli/bin/scopegate.mjs explain --url ${url} --id ID

Ctrl-C ends all of it.`)

function addUser(name, password) {
  const args = ['user', 'add', name, '--name', name, '--password-stdin', '--url', url]
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [cli, ...args], {
      env: environment,
      stdio: ['pipe', 'ignore', 'inherit'],
    })
    child.stdin.end(password)
    child.once('exit', (code) => (code === 0 ? resolve() : reject(new Error(`no user ${name}`))))
  })
}

function tokenLine(variable, client, clientSecret, scope) {
  return `${variable}=$(curl -s ${url}/oauth/token -u ${client}:${clientSecret} -d grant_type=client_credentials -d resource=${url}/bank -d "scope=${scope}" | node -pe 'JSON.parse(require("fs").readFileSync(0)).access_token')`
}

function transferLine(variable) {
  return `curl -si ${url}/bank/transfer -H "Authorization: Bearer $${variable}" -H 'Content-Type: application/json' -d '{"toAccount":"ACCT-2","dollars":2}'`
}
