import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { after, test } from 'node:test'
import { ensureLocalCertificate } from '@scopegate/http'
import { freePort } from '@scopegate/lab'
import { createLogger, readConfig, startServer, UnfitToStart } from '@scopegate/server'

// What a server cannot live with stops the start before anything is opened: no port, no database.
const folder = mkdtempSync(join(tmpdir(), 'scopegate-unfit-'))
after(() => rmSync(folder, { recursive: true, force: true }))

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })
}

/** Why the server does not start with this configuration, and what it logged. */
async function refusal(
  yaml: string,
): Promise<{ readonly error: UnfitToStart; readonly log: string }> {
  const configFile = join(folder, 'scopegate.yaml')
  writeFileSync(configFile, yaml)
  const lines: string[] = []
  const stream = new Writable({
    write(chunk, _encoding, done) {
      lines.push(String(chunk))
      done()
    },
  })
  const log = createLogger({ level: 'debug', format: 'json', stream })
  const config = readConfig({ configFile }, {})
  try {
    const server = await startServer(config, { sample: false, log, holder: 'test' })
    await server.close()
  } catch (error) {
    assert.ok(error instanceof UnfitToStart, String(error))
    return { error, log: lines.join('') }
  }
  return assert.fail('the server started')
}

test('a certificate for another name: nothing listens, nothing was made', async () => {
  const port = await freePort()
  await ensureLocalCertificate({ dir: folder, names: ['other.example'], nowMs: Date.now() })
  const { error } = await refusal(`
server:
  url: "https://records.example:${port}"
  listen: "127.0.0.1:${port}"
  tls: { certFile: server.crt, keyFile: server.key }
storage: { dir: data-one }
`)
  assert.match(error.message, /own certificate, name: it is for .*other\.example/)
  assert.match(error.message, /fix: get one for the host of server\.url/)
  assert.equal(await isListening(port), false)
  assert.equal(existsSync(join(folder, 'data-one')), false)
})

test('all fatal problems are told at once, each with what to do', async () => {
  const taken = createServer((_, response) => response.end('another program'))
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve))
  const { port } = taken.address() as AddressInfo
  writeFileSync(join(folder, 'a-file'), '')
  try {
    const { error } = await refusal(`
server: { url: "http://127.0.0.1:${port}" }
storage: { dir: a-file }
`)
    assert.deepEqual(error.findings.map(({ subject, check }) => `${subject} ${check}`).sort(), [
      'files data directory',
      'port listen',
    ])
    assert.match(error.message, /is a file\n {2}fix: name a directory with storage\.dir/)
    assert.match(error.message, /taken by another program/)
    assert.equal(await (await fetch(`http://127.0.0.1:${port}/`)).text(), 'another program')
  } finally {
    taken.close()
  }
})
