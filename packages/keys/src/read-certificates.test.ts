import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { createPrivateKey } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import {
  createKeySigner,
  findKeyWarnings,
  KeyMaterialError,
  readKeyMaterial,
  signJws,
} from '@scopegate/keys'
import fc from 'fast-check'

const hasOpenssl = spawnSync('openssl', ['version']).status === 0
const needsOpenssl = hasOpenssl ? {} : { skip: 'no `openssl` on this machine' }
const passphrase = 'Grüße aus Köln'

function refused(input: Parameters<typeof readKeyMaterial>[0], pattern: RegExp): void {
  assert.throws(
    () => readKeyMaterial(input),
    (error: Error) => {
      assert.ok(error instanceof KeyMaterialError, error.stack)
      assert.match(error.message, pattern)
      return true
    },
  )
}

describe('with certificates of openssl', needsOpenssl, () => {
  let folder: string
  const file = (name: string) => join(folder, name)
  const openssl = (...args: string[]) =>
    execFileSync('openssl', args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] })

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'scopegate-keys-'))
    const make = (name: string, days: string, ...algorithm: string[]) => {
      openssl(
        'req',
        '-x509',
        '-newkey',
        ...algorithm,
        '-nodes',
        '-subj',
        `/O=Clinic/CN=${name}`,
        '-days',
        days,
        '-keyout',
        `${name}.key`,
        '-out',
        `${name}.crt`,
      )
    }
    make('rsa', '365', 'rsa:2048')
    make('ec', '365', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-384')
    make('other', '365', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256')
    openssl(
      'req',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-subj',
      '/CN=leaf',
      '-keyout',
      'leaf.key',
      '-out',
      'leaf.csr',
    )
    openssl(
      'x509',
      '-req',
      '-in',
      'leaf.csr',
      '-CA',
      'rsa.crt',
      '-CAkey',
      'rsa.key',
      '-CAcreateserial',
      '-days',
      '90',
      '-out',
      'leaf.crt',
    )
  })
  after(() => rmSync(folder, { recursive: true, force: true }))

  const text = (name: string) => readFileSync(file(name), 'utf8')

  test('the thumbprints are those of openssl, base64url without padding', () => {
    const { certificate } = readKeyMaterial({
      text: text('rsa.key'),
      certificate: text('rsa.crt'),
      name: 'rsa',
    })
    for (const [hash, ours] of [
      ['-sha1', certificate?.x5t],
      ['-sha256', certificate?.x5tS256],
    ] as const) {
      const line = openssl('x509', '-in', 'rsa.crt', '-noout', '-fingerprint', hash).toString()
      const hex = line.split('=')[1]?.replace(/[:\s]/g, '') ?? ''
      assert.equal(ours, Buffer.from(hex, 'hex').toString('base64url'))
    }
  })

  test('the chain is put in order, leaf first, whatever the order of the file', () => {
    const bundle = `${text('rsa.crt')}${text('leaf.key')}${text('leaf.crt')}`
    const { certificate } = readKeyMaterial({ text: bundle, name: 'bundle.pem' })
    assert.equal(certificate?.subject, 'CN=leaf')
    assert.equal(certificate?.x5c.length, 2)
    const raw = text('leaf.crt').replace(/-----[A-Z ]+-----|\s/g, '')
    assert.equal(certificate?.x5c[0], raw)
  })

  test('a certificate of another key is refused at load', () => {
    refused(
      { text: text('ec.key'), certificate: text('other.crt'), name: 'ec.key' },
      /`O=Clinic, CN=other` does not belong to this private key/,
    )
    refused({ text: text('ec.key'), certificate: 'hello', name: 'ec.key' }, /no certificate/)
  })

  test('expiry is a warning with its day, before and after', () => {
    const { certificate } = readKeyMaterial({
      text: text('ec.key'),
      certificate: text('ec.crt'),
      name: 'ec',
    })
    const end = certificate?.notAfter ?? 0
    const kinds = (now: number) => findKeyWarnings(certificate, now).map(({ kind }) => kind)
    assert.deepEqual(kinds(end - 86_400 * 100), [])
    assert.deepEqual(kinds(end - 86_400 * 3), ['certificate_expires_soon'])
    assert.deepEqual(kinds(end + 1), ['certificate_expired'])
    assert.deepEqual(kinds((certificate?.notBefore ?? 0) - 1), ['certificate_not_yet_valid'])
  })

  for (const [what, options] of [
    ['AES-256 as OpenSSL 3 writes it', []],
    ['AES-256 with SHA-512 and many rounds', ['-macalg', 'sha512', '-iter', '20000']],
    [
      'AES-128 with SHA-384',
      ['-keypbe', 'AES-128-CBC', '-certpbe', 'AES-128-CBC', '-macalg', 'sha384'],
    ],
    [
      '3DES and SHA-1 as Windows and Java wrote it',
      ['-keypbe', 'PBE-SHA1-3DES', '-certpbe', 'PBE-SHA1-3DES', '-macalg', 'sha1'],
    ],
    ['no encryption inside', ['-keypbe', 'NONE', '-certpbe', 'NONE']],
    ['no MAC', ['-nomac']],
  ] as const) {
    for (const name of ['leaf', 'ec']) {
      test(`a PFX of ${name} opens: ${what}`, () => {
        const chain = name === 'leaf' ? ['-certfile', 'rsa.crt'] : []
        openssl(
          'pkcs12',
          '-export',
          '-inkey',
          `${name}.key`,
          '-in',
          `${name}.crt`,
          ...chain,
          '-passout',
          `pass:${passphrase}`,
          ...options,
          '-out',
          'x.pfx',
        )
        const bytes = readFileSync(file('x.pfx'))
        const read = readKeyMaterial({ bytes, passphrase, name: 'x.pfx' })
        assert.ok(
          read.privateKey.equals(readKeyMaterial({ text: text(`${name}.key`), name }).privateKey),
        )
        assert.equal(read.certificate?.x5c.length, name === 'leaf' ? 2 : 1)
        const base64 = bytes.toString('base64')
        assert.ok(readKeyMaterial({ text: base64, passphrase, name: 'x.pfx' }).certificate)
        if (what === 'no encryption inside' || what === 'no MAC') return
        refused({ bytes, passphrase: 'wrong', name: 'x.pfx' }, /passphrase does not open the PFX/)
        refused({ bytes, name: 'x.pfx' }, /no passphrase was given/)
      })
    }
  }

  test('a PFX under a broken cipher is refused with the way to convert it', (t) => {
    const made = spawnSync(
      'openssl',
      [
        ...['pkcs12', '-export', '-legacy', '-inkey', 'ec.key', '-in', 'ec.crt'],
        ...['-certpbe', 'PBE-SHA1-RC2-40', '-passout', 'pass:x', '-out', 'rc2.pfx'],
      ],
      { cwd: folder },
    )
    if (made.status !== 0) return t.skip('this `openssl` has no legacy ciphers')
    const bytes = readFileSync(file('rc2.pfx'))
    refused({ bytes, passphrase: 'x', name: 'rc2.pfx' }, /RC2-40.*openssl pkcs12 -legacy/)
  })

  test('whatever became of a file, it is read or refused in words, and nothing of it is in them', () => {
    const export_ = ['pkcs12', '-export', '-inkey', 'ec.key', '-in', 'ec.crt', '-passout', 'pass:x']
    openssl(...export_, '-nomac', '-keypbe', 'NONE', '-certpbe', 'NONE', '-out', 'plain.pfx')
    openssl(...export_, '-out', 'sealed.pfx')
    const files = ['plain.pfx', 'sealed.pfx', 'ec.key', 'rsa.key', 'ec.crt'].map((one) =>
      readFileSync(file(one)),
    )
    const { d = '' } = createPrivateKey(text('ec.key')).export({ format: 'jwk' })
    const damaged = fc
      .tuple(
        fc.constantFrom(...files),
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 }),
        fc.nat(),
      )
      .map(([whole, changes, cut]) => {
        const bytes = Buffer.from(whole)
        for (const [at, value] of changes) bytes[at % bytes.length] = value
        return cut % 3 === 0 ? bytes.subarray(0, cut % bytes.length) : bytes
      })
    fc.assert(
      fc.property(fc.oneof(damaged, fc.uint8Array()), (bytes) => {
        try {
          readKeyMaterial({ bytes, passphrase: 'x', name: 'a file' })
        } catch (error) {
          assert.ok(error instanceof KeyMaterialError, String((error as Error).stack))
          assert.ok(!error.message.includes(d.slice(0, 20)))
        }
      }),
      { numRuns: 300 },
    )
  })

  test('a PFX without its key, or cut, is refused with what to do', () => {
    openssl('pkcs12', '-export', '-nokeys', '-in', 'ec.crt', '-passout', 'pass:x', '-out', 'x.pfx')
    const bytes = readFileSync(file('x.pfx'))
    refused({ bytes, passphrase: 'x', name: 'x.pfx' }, /no private key.*export it with/)
    refused({ bytes: bytes.subarray(0, 300), passphrase: 'x', name: 'x.pfx' }, /neither|damaged/)
  })

  for (const alg of ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'] as const) {
    test(`openssl verifies ${alg}`, async () => {
      const material = readKeyMaterial({ text: text('rsa.key'), name: 'rsa' })
      const jws = await signJws(createKeySigner(material, { alg }), {}, { sub: 'x' })
      const [header, claims, signature = ''] = jws.split('.')
      writeFileSync(file('data'), `${header}.${claims}`)
      writeFileSync(file('sig'), Buffer.from(signature, 'base64url'))
      openssl('x509', '-in', 'rsa.crt', '-pubkey', '-noout', '-out', 'rsa.pub')
      const pss = alg.startsWith('PS')
        ? ['-sigopt', 'rsa_padding_mode:pss', '-sigopt', 'rsa_pss_saltlen:digest']
        : []
      const said = openssl(
        'dgst',
        `-sha${alg.slice(2)}`,
        ...pss,
        '-verify',
        'rsa.pub',
        '-signature',
        'sig',
        'data',
      )
      assert.match(said.toString(), /Verified OK/)
    })
  }
})
