import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import {
  createKeySigner,
  findKeyWarnings,
  KeyMaterialError,
  readKeyMaterial,
  type SignatureAlgorithm,
  signJws,
} from '@scopegate/keys'
import { compactVerify, decodeProtectedHeader } from 'jose'

const hasOpenssl = spawnSync('openssl', ['version']).status === 0
const needsOpenssl = hasOpenssl ? {} : { skip: 'no `openssl` on this machine' }

const passphrase = 'Grüße aus Köln'
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
const kinds = {
  rsa,
  'P-256': generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey,
  'P-384': generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey,
  'P-521': generateKeyPairSync('ec', { namedCurve: 'P-521' }).privateKey,
  Ed25519: generateKeyPairSync('ed25519').privateKey,
}

function refused(input: Parameters<typeof readKeyMaterial>[0], pattern: RegExp): void {
  assert.throws(
    () => readKeyMaterial(input),
    (error: Error) => {
      assert.ok(error instanceof KeyMaterialError, error.stack)
      assert.match(error.message, pattern)
      assert.ok(error.message.includes(input.name), 'names the file')
      return true
    },
  )
}

describe('a private key is read from', () => {
  for (const [kind, key] of Object.entries(kinds)) {
    const same = (input: Omit<Parameters<typeof readKeyMaterial>[0], 'name'>) => {
      const read = readKeyMaterial({ ...input, name: 'k.pem' })
      assert.ok(read.privateKey.equals(key))
      return read
    }
    test(`${kind} as PKCS#8, plain and encrypted, PEM and DER`, () => {
      same({ text: key.export({ format: 'pem', type: 'pkcs8' }) as string })
      const lock = { cipher: 'aes-256-cbc', passphrase }
      same({ text: key.export({ format: 'pem', type: 'pkcs8', ...lock }) as string, passphrase })
      same({ bytes: key.export({ format: 'der', type: 'pkcs8' }) })
      same({ bytes: key.export({ format: 'der', type: 'pkcs8', ...lock }), passphrase })
    })
    test(`${kind} as JWK, with the kid it names`, () => {
      const jwk = { ...key.export({ format: 'jwk' }), kid: 'mine', use: 'sig' }
      assert.equal(same({ text: JSON.stringify(jwk) }).kid, 'mine')
      assert.equal(same({ text: JSON.stringify({ keys: [jwk] }) }).kid, 'mine')
    })
  }

  test('PKCS#1 and SEC1, also encrypted as OpenSSL used to, and with a byte-order mark', () => {
    const lock = { cipher: 'aes-128-cbc', passphrase }
    for (const [key, type] of [
      [kinds.rsa, 'pkcs1'],
      [kinds['P-384'], 'sec1'],
    ] as const) {
      const plain = key.export({ format: 'pem', type }) as string
      const locked = key.export({ format: 'pem', type, ...lock }) as string
      assert.ok(readKeyMaterial({ text: `\uFEFF${plain}`, name: 'k' }).privateKey.equals(key))
      assert.ok(readKeyMaterial({ text: locked, passphrase, name: 'k' }).privateKey.equals(key))
      refused({ text: locked, name: 'k' }, /encrypted, and no passphrase.*passphrase: file:/)
    }
  })
})

describe('a key that cannot be used is refused with the reason and the way out:', () => {
  const pem = rsa.export({ format: 'pem', type: 'pkcs8' }) as string
  const locked = rsa.export({
    format: 'pem',
    type: 'pkcs8',
    cipher: 'aes-256-cbc',
    passphrase,
  }) as string
  const small = generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey
  const k1 = generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).privateKey
  const x = generateKeyPairSync('x25519').privateKey
  const pss = generateKeyPairSync('rsa-pss', { modulusLength: 2048 }).privateKey
  const asPem = (key: typeof rsa) => key.export({ format: 'pem', type: 'pkcs8' }) as string
  const jwk = rsa.export({ format: 'jwk' })
  for (const [what, text, pattern] of [
    ['an encrypted one without passphrase', locked, /encrypted, and no passphrase was given/],
    ['a short RSA key', asPem(small), /1024 bits; 2048/],
    ['a curve of coins', asPem(k1), /secp256k1.*P-256/],
    ['a key that cannot sign', asPem(x), /x25519, which cannot sign/],
    ['an RSA key for PSS only', asPem(pss), /PSS only.*ordinary RSA key/],
    ['two keys', `${pem}${pem}`, /2 private keys/],
    ['a cut file', pem.slice(0, 500), /cut/],
    ['a damaged one', pem.replace(/.{300}\n-----END/s, '\n-----END'), /damaged or cut/],
    ['literal \\n', pem.replaceAll('\n', '\\n'), /damaged|cut|lines/],
    ['nothing', ' \n', /is empty/],
    ['a word', 'hunter2', /holds no private key/],
    [
      'OpenSSH',
      '-----BEGIN OPENSSH PRIVATE KEY-----\nAA==\n-----END OPENSSH PRIVATE KEY-----',
      /ssh-keygen/,
    ],
    ['a public key', '-----BEGIN PUBLIC KEY-----\nAA==\n-----END PUBLIC KEY-----', /a public key/],
    [
      'a certificate',
      '-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----',
      /certificate and no private key/,
    ],
    ['a public JWK', JSON.stringify({ kty: jwk.kty, n: jwk.n, e: jwk.e }), /public JWK/],
    ['a JWK for encryption', JSON.stringify({ ...jwk, use: 'enc' }), /use: enc/],
    [
      'a JWK of another algorithm',
      JSON.stringify({ ...jwk, alg: 'ES256' }),
      /alg: ES256.*RSA 2048/,
    ],
    ['a JWK for HMAC', JSON.stringify({ kty: 'oct', k: 'AAAA' }), /shared secret/],
    [
      'a JWK without its primes',
      JSON.stringify({ kty: 'RSA', n: jwk.n, e: jwk.e, d: jwk.d }),
      /not complete/,
    ],
    ['broken JSON', '{"kty":"RSA","d":"c2VjcmV0', /not a JWK/],
  ] as const) {
    test(what, () => refused({ text, name: 'partner1.pem' }, pattern))
  }

  test('a wrong passphrase, in words instead of `bad decrypt` alone', () => {
    refused({ text: locked, passphrase: 'wrong', name: 'k.pem' }, /passphrase does not open/)
  })

  test('no error holds text of the key, not even as its cause', () => {
    const text = `{"kty":"RSA","d":"${'c2VjcmV0'.repeat(8)}`
    try {
      readKeyMaterial({ text, name: 'k' })
      assert.fail('was read')
    } catch (error) {
      for (let at: unknown = error; at instanceof Error; at = at.cause) {
        assert.ok(!`${at.message}${at.stack}`.includes('c2VjcmV0c2Vj'))
      }
    }
  })
})

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

describe('signing', () => {
  const algorithms: readonly (readonly [SignatureAlgorithm, keyof typeof kinds])[] = [
    ['RS256', 'rsa'],
    ['RS384', 'rsa'],
    ['RS512', 'rsa'],
    ['PS256', 'rsa'],
    ['PS384', 'rsa'],
    ['PS512', 'rsa'],
    ['ES256', 'P-256'],
    ['ES384', 'P-384'],
    ['ES512', 'P-521'],
    ['EdDSA', 'Ed25519'],
  ]
  const materialOf = (kind: keyof typeof kinds) =>
    readKeyMaterial({
      text: kinds[kind].export({ format: 'pem', type: 'pkcs8' }) as string,
      name: kind,
    })

  for (const [alg, kind] of algorithms) {
    test(`jose verifies ${alg}`, async () => {
      const material = materialOf(kind)
      const jws = await signJws(createKeySigner(material, { alg }), { typ: 'x' }, { sub: 'a' })
      const { payload } = await compactVerify(jws, material.publicKey)
      assert.deepEqual(JSON.parse(new TextDecoder().decode(payload)), { sub: 'a' })
      assert.equal(decodeProtectedHeader(jws).alg, alg)
    })
  }

  test('a header cannot change the algorithm or the key id', async () => {
    const signer = createKeySigner(materialOf('P-256'), { kid: 'k1' })
    const jws = await signJws(signer, { alg: 'none', kid: 'other', x5t: 'y' }, {})
    assert.deepEqual(decodeProtectedHeader(jws), { typ: 'JWT', alg: 'ES256', kid: 'k1', x5t: 'y' })
  })

  test('an algorithm that the key cannot do is refused, with those it can', () => {
    assert.throws(() => createKeySigner(materialOf('P-256'), { alg: 'RS256' }), /use one of ES256/)
  })
})
