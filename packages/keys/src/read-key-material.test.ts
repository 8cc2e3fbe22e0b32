import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { describe, test } from 'node:test'
import { KeyMaterialError, readKeyMaterial } from '@scopegate/keys'

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

test('the key file of a Google service account is a key with its id', () => {
  const text = JSON.stringify({
    type: 'service_account',
    private_key_id: 'abc',
    private_key: rsa.export({ format: 'pem', type: 'pkcs8' }),
  })
  const read = readKeyMaterial({ text, name: 'sa.json' })
  assert.ok(read.privateKey.equals(rsa))
  assert.equal(read.kid, 'abc')
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
