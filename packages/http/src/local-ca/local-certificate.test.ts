import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { get } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { promisify } from 'node:util'
import {
  createNodeServer,
  ensureLocalCertificate,
  type LocalCertificate,
  normalizeName,
  trustInstructions,
} from '@scopegate/http'
import { issueCa, issueServer } from './issue.ts'
import { encodeNameConstraints, permitsNames } from './name-constraints.ts'
import { certificateNames } from './names.ts'

const run = promisify(execFile)
const DAY_MS = 86_400_000
const nowMs = Date.now()

function folder(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'scopegate-ca-'))
  t.after(() => rmSync(dir, { recursive: true, force: true }))
  return dir
}

async function serve(t: TestContext, { cert, key }: Pick<LocalCertificate, 'cert' | 'key'>) {
  const server = createNodeServer({
    host: '127.0.0.1',
    port: 0,
    tls: { cert, key },
    handler: async () => new Response('hello'),
  })
  await server.listen()
  t.after(() => server.close())
  return (server.server.address() as AddressInfo).port
}

/** What Node answers about this server, asked for by this name. */
function ask(port: number, servername: string, ca: string): Promise<string> {
  return new Promise((resolve) => {
    get({ host: '127.0.0.1', port, servername, ca, headers: { host: servername } }, (response) => {
      response.resume()
      resolve(`${response.statusCode}`)
    }).once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
  })
}

async function has(command: string, ...args: string[]): Promise<boolean> {
  return run(command, args).then(
    () => true,
    () => false,
  )
}
const hasOpenssl = await has('openssl', 'version')
const hasCurl = await has('curl', '--version')

test('Node trusts the server by its CA, under every name it was made for and no other', async (t) => {
  const dir = folder(t)
  const made = await ensureLocalCertificate({ dir, names: ['Lab.Example', '10.1.2.3'], nowMs })
  assert.ok(made.isNew && made.isNewCa)
  assert.deepEqual(made.names, ['localhost', 'lab.example', '127.0.0.1', '::1', '10.1.2.3'])
  const port = await serve(t, made)
  const ca = readFileSync(made.caFile, 'utf8')
  assert.equal(await ask(port, 'localhost', ca), '200')
  assert.equal(await ask(port, 'lab.example', ca), '200')
  assert.equal(await ask(port, 'other.example', ca), 'ERR_TLS_CERT_ALTNAME_INVALID')
  const stranger = await ensureLocalCertificate({ dir: join(dir, 'other'), names: [], nowMs })
  assert.notEqual(await ask(port, 'localhost', readFileSync(stranger.caFile, 'utf8')), '200')
})

test('curl trusts it with --cacert, by name and by address', { skip: !hasCurl }, async (t) => {
  const made = await ensureLocalCertificate({ dir: folder(t), names: ['lab.example'], nowMs })
  const port = await serve(t, made)
  const curl = (host: string, ...more: string[]) =>
    run('curl', [
      ...['-sS', '--noproxy', '*', '--resolve', `${host}:${port}:127.0.0.1`],
      ...more,
      `https://${host}:${port}/`,
    ])
  for (const host of ['localhost', '127.0.0.1', 'lab.example']) {
    assert.equal((await curl(host, '--cacert', made.caFile)).stdout, 'hello', host)
  }
  await assert.rejects(curl('localhost'), /certificate/)
  await assert.rejects(curl('other.example', '--cacert', made.caFile), /certificate|name/)
})

test('openssl verifies the chain, and the CA cannot speak for another name', {
  skip: !hasOpenssl,
}, async (t) => {
  const dir = folder(t)
  const { caFile } = await ensureLocalCertificate({ dir, names: ['lab.example'], nowMs })
  const verify = (file: string) =>
    run('openssl', ['verify', '-x509_strict', '-purpose', 'sslserver', '-CAfile', caFile, file])
  assert.match((await verify(join(dir, 'server.crt'))).stdout, /OK/)

  const ca = { cert: readFileSync(caFile, 'utf8'), key: readFileSync(join(dir, 'ca.key'), 'utf8') }
  for (const names of [
    { dns: ['bank.example'], ip: [] },
    { dns: ['localhost'], ip: ['8.8.8.8'] },
  ]) {
    const stolen = await issueServer({ ca, names, nowMs, lifeMs: DAY_MS })
    writeFileSync(join(dir, 'stolen.crt'), stolen.cert)
    await assert.rejects(verify(join(dir, 'stolen.crt')), /permitted subtree violation/)
    const port = await serve(t, stolen)
    assert.notEqual(await ask(port, names.dns[0]!, ca.cert), '200')
  }
})

test('the CA and the certificate live as long as they should, the keys are for their owner', async (t) => {
  const dir = folder(t)
  const made = await ensureLocalCertificate({ dir, names: [], nowMs })
  const server = new X509Certificate(made.cert)
  const ca = new X509Certificate(readFileSync(made.caFile))
  const days = (each: X509Certificate) =>
    (Date.parse(each.validTo) - Date.parse(each.validFrom)) / DAY_MS
  assert.ok(days(server) <= 398 && days(server) > 390, `${days(server)} days`)
  assert.ok(days(ca) > 720 && days(ca) < 732)
  assert.ok(ca.ca && !server.ca)
  assert.deepEqual(server.keyUsage, ['1.3.6.1.5.5.7.3.1'])
  assert.equal(made.endsAtMs, Date.parse(server.validTo))
  if (process.platform !== 'win32') {
    for (const file of ['ca.key', 'server.key']) {
      assert.equal(statSync(join(dir, file)).mode & 0o777, 0o600, file)
    }
  }
})

test('what is good is kept; a certificate near its end is made anew by the same CA', async (t) => {
  const dir = folder(t)
  const first = await ensureLocalCertificate({ dir, names: ['lab.example'], nowMs })
  const ca = readFileSync(first.caFile, 'utf8')
  const again = (names: readonly string[], atMs = nowMs) =>
    ensureLocalCertificate({ dir, names, nowMs: atMs })

  const same = await again(['lab.example'])
  assert.deepEqual([same.isNew, same.isNewCa, same.cert], [false, false, first.cert])

  const later = await again(['lab.example'], nowMs + 370 * DAY_MS)
  assert.deepEqual([later.isNew, later.isNewCa], [true, false])
  assert.ok(later.endsAtMs <= Date.parse(new X509Certificate(ca).validTo))

  const fewer = await again([])
  assert.deepEqual([fewer.isNew, fewer.isNewCa], [true, false], 'fewer names need no other CA')
  const below = await again(['a.lab.example'])
  assert.deepEqual([below.isNew, below.isNewCa], [true, false], 'a name below one it may speak for')
  assert.equal(readFileSync(first.caFile, 'utf8'), ca)

  const other = await again(['other.example'])
  assert.deepEqual([other.isNew, other.isNewCa], [true, true])
  assert.notEqual(readFileSync(first.caFile, 'utf8'), ca)
  const late = await again(['other.example'], nowMs + 701 * DAY_MS)
  assert.deepEqual([late.isNew, late.isNewCa], [true, true], 'the CA itself ends')
})

test('files that are broken, strange or half there are replaced', async (t) => {
  const dir = folder(t)
  const make = () => ensureLocalCertificate({ dir, names: [], nowMs })
  await make()
  const stranger = await issueCa({
    commonName: 'x',
    names: certificateNames([]),
    nowMs,
    lifeMs: DAY_MS * 90,
  })
  for (const [file, text, isNewCa] of [
    ['server.crt', 'broken', false],
    ['server.key', stranger.key, false],
    ['ca.key', stranger.key, true],
    ['ca.crt', stranger.cert, true],
    ['ca.crt', '', true],
  ] as const) {
    writeFileSync(join(dir, file), text)
    const made = await make()
    assert.deepEqual([made.isNew, made.isNewCa], [true, isNewCa], file)
    const port = await serve(t, made)
    assert.equal(await ask(port, 'localhost', readFileSync(made.caFile, 'utf8')), '200')
  }
  rmSync(join(dir, 'ca.key'))
  assert.equal((await make()).isNewCa, true)
})

test('names are written one way; what is none is refused', async (t) => {
  for (const [given, known] of [
    ['LAB.example.', 'lab.example'],
    ['[::1]', '::1'],
    ['0:0:0:0:0:0:0:1', '::1'],
    ['2001:DB8::0:1', '2001:db8::1'],
    ['10.0.0.1', '10.0.0.1'],
    ['münchen.example', 'xn--mnchen-3ya.example'],
    ['*.lab.example', undefined],
    ['a b', undefined],
    ['https://lab.example', undefined],
    ['lab.example:8443', undefined],
    ['999.1.1.1', undefined],
    ['-a.example', undefined],
    ['', undefined],
  ] as const) {
    assert.equal(normalizeName(given), known, given)
  }
  await assert.rejects(
    ensureLocalCertificate({ dir: folder(t), names: ['*.example'], nowMs }),
    /`\*\.example` is no host name/,
  )
})

test('constraints permit what they were made for and what is below, and nothing else', () => {
  const made = encodeNameConstraints(certificateNames(['lab.example', '2001:db8::7', '10.0.0.1']))
  const permits = (...names: string[]) => permitsNames(made, certificateNames(names))
  assert.ok(permits())
  assert.ok(permits('lab.example', 'deep.in.lab.example', '2001:db8::7', '10.0.0.1'))
  for (const other of ['example', 'xlab.example', '10.0.0.2', '2001:db8::8', '10.0.0.1.example']) {
    assert.ok(!permits(other), other)
  }
  for (let end = 0; end < made.length; end += 1) {
    assert.ok(!permitsNames(made.subarray(0, end), certificateNames(['lab.example'])), `${end}`)
  }
})

test('the ways to trust it name the file, quoted where a shell would split it', () => {
  const ways = trustInstructions('/home/a b/ca.crt', 'https://localhost:8443')
  for (const { who, how } of ways) assert.ok(how.includes('"/home/a b/ca.crt"'), who)
  assert.ok(
    ways.some(({ how }) => how === 'curl --cacert "/home/a b/ca.crt" https://localhost:8443'),
  )
})

test('a server of localhost makes no promise for its other ports', async (t) => {
  const { cert, key, caFile } = await ensureLocalCertificate({ dir: folder(t), names: [], nowMs })
  for (const strictTransport of [undefined, false]) {
    const server = createNodeServer({
      host: '127.0.0.1',
      port: 0,
      tls: { cert, key },
      ...(strictTransport === undefined ? {} : { strictTransport }),
      handler: async () => new Response('hello'),
    })
    const { port } = await server.listen()
    t.after(() => server.close())
    const promised = await new Promise((resolve, reject) => {
      get({ host: 'localhost', port, ca: readFileSync(caFile) }, (response) => {
        response.resume()
        resolve(response.headers['strict-transport-security'] !== undefined)
      }).once('error', reject)
    })
    assert.equal(promised, strictTransport ?? true)
  }
})
