import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { describe, test } from 'node:test'
import { KeyMaterialError, readKeyMaterial } from '@scopegate/keys'

// What is uploaded is read on the thread that serves everybody: nothing in it may take minutes.
const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
const passphrase = 'of the attacker'

/** An encrypted PKCS#8 key whose PBKDF2 has 2³¹-1 iterations in place of 2048. */
function stretched(): Buffer {
  const der = privateKey.export({
    ...{ format: 'der', type: 'pkcs8', cipher: 'aes-256-cbc', passphrase },
  }) as Buffer
  const at = der.indexOf(Buffer.from([0x02, 0x02, 0x08, 0x00]))
  const many = Buffer.from([0x02, 0x04, 0x7f, 0xff, 0xff, 0xff])
  const longer = Buffer.concat([der.subarray(0, at), many, der.subarray(at + 4)])
  longer.writeUInt16BE(longer.readUInt16BE(2) + 2, 2)
  const grow = (length: number) => {
    longer[length] = longer[length]! + 2
    return length + 1
  }
  const skip = (element: number) => element + 2 + longer[element + 1]!
  // Algorithm, its parameters, the key derivation in them, and the parameters of that.
  const algorithm = grow(4 + 1)
  const parameters = grow(skip(algorithm) + 1)
  const derivation = grow(parameters + 1)
  grow(skip(derivation) + 1)
  return longer
}

const pem = (label: string, der: Uint8Array) =>
  `-----BEGIN ${label}-----\n${Buffer.from(der).toString('base64')}\n-----END ${label}-----\n`

function refused(input: Omit<Parameters<typeof readKeyMaterial>[0], 'name'>, why: RegExp): void {
  assert.throws(
    () => readKeyMaterial({ ...input, name: 'k' }),
    (error) => error instanceof KeyMaterialError && why.test(error.message),
  )
}

describe('what would take minutes is refused', () => {
  test('a passphrase that is stretched two thousand million times', () => {
    const der = stretched()
    refused({ bytes: der, passphrase }, /2147483647 iterations/)
    refused({ text: pem('ENCRYPTED PRIVATE KEY', der), passphrase }, /2147483647 iterations/)
  })

  test('more certificates than any chain has', () => {
    const key = privateKey.export({ format: 'pem', type: 'pkcs8' }) as string
    const certificates = pem('CERTIFICATE', Buffer.from('certificate')).repeat(1000)
    refused({ text: `${key}${certificates}` }, /1000 certificates/)
  })

  test('a text of beginnings without end', { timeout: 60_000 }, () => {
    const key = privateKey.export({ format: 'pem', type: 'pkcs8' }) as string
    refused({ text: '-----BEGIN PRIVATE KEY-----'.repeat(300_000) }, /cut/)
    const begun = '-----BEGIN CERTIFICATE-----'.repeat(300_000)
    refused({ text: `${key}${begun}` }, /no certificate/)
  })
})
