import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import {
  createSealer,
  MasterKeyError,
  masterKeyFromText,
  openMasterKeys,
  UnsealError,
} from '@scopegate/secrets'
import fc from 'fast-check'

const folder = () => mkdtempSync(join(tmpdir(), 'scopegate-secrets-'))

describe('master key file', () => {
  test('is made once, 0600, and read back the same', async () => {
    const file = join(folder(), 'new', 'master.key')
    const made = await openMasterKeys(file)
    assert.equal(statSync(file).mode & 0o777, 0o600)
    assert.deepEqual(await openMasterKeys(file), made)
    assert.deepEqual(readdirSync(join(file, '..')), ['master.key'])
  })

  test('twenty processes that start at once agree on one key', async () => {
    const file = join(folder(), 'master.key')
    const all = await Promise.all(Array.from({ length: 20 }, () => openMasterKeys(file)))
    for (const keys of all) assert.deepEqual(keys, all[0])
  })

  test('that others can read is refused with the command that mends it', async () => {
    const file = join(folder(), 'master.key')
    await openMasterKeys(file)
    chmodSync(file, 0o640)
    await assert.rejects(openMasterKeys(file), (error: Error) => {
      assert.ok(error instanceof MasterKeyError)
      assert.match(error.message, /mode 0640.*chmod 600/)
      return true
    })
  })

  test('with other content is refused and left as it is', async () => {
    const file = join(folder(), 'master.key')
    writeFileSync(file, 'hello\n', { mode: 0o600 })
    await assert.rejects(openMasterKeys(file), /not a Scopegate master key/)
    assert.equal(readFileSync(file, 'utf8'), 'hello\n')
    writeFileSync(file, '')
    await assert.rejects(openMasterKeys(file), /holds no key/)
  })
})

describe('a master key from a reference', () => {
  const bytes = Buffer.alloc(32, 200)
  test('is the same key under the same id in base64 and base64url', () => {
    const key = masterKeyFromText(bytes.toString('base64'))
    assert.deepEqual(masterKeyFromText(`${bytes.toString('base64url')}\n`), key)
    assert.deepEqual(key.key, bytes)
    assert.match(key.id, /^[A-Za-z0-9_-]{8}$/)
  })
  for (const text of ['', 'short', 'x'.repeat(44), `${'x'.repeat(42)}!`]) {
    test(`\`${text.slice(0, 8)}\` is refused`, () => {
      assert.throws(() => masterKeyFromText(text), /openssl rand -base64 32/)
    })
  }
})

describe('sealing', () => {
  const keys = [{ id: 'aaaaaaaa', key: Buffer.alloc(32, 1) }]
  const sealer = createSealer(keys)

  test('unseal undoes seal, and nothing of the text shows', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 12 }), fc.string(), (plain, context) => {
        const sealed = sealer.seal(plain, context)
        assert.equal(sealer.unseal(sealed, context).toString('utf8'), Buffer.from(plain).toString())
        assert.ok(!sealed.includes(Buffer.from(plain).toString('base64url')))
      }),
    )
  })

  test('the same text never looks the same', () => {
    assert.notEqual(sealer.seal('x', 'c'), sealer.seal('x', 'c'))
  })

  test('sealed text moved to another place is refused', () => {
    assert.throws(() => sealer.unseal(sealer.seal('x', 'a'), 'b'), UnsealError)
  })

  test('one changed character anywhere is refused', () => {
    const sealed = sealer.seal('secret', 'c')
    for (let i = 0; i < sealed.length - 1; i++) {
      const changed = `${sealed.slice(0, i)}${sealed[i] === 'A' ? 'B' : 'A'}${sealed.slice(i + 1)}`
      assert.throws(() => sealer.unseal(changed, 'c'), UnsealError, `position ${i}`)
    }
  })

  test('after a change of master key the old text opens and new text uses the new key', () => {
    const both = createSealer([{ id: 'bbbbbbbb', key: Buffer.alloc(32, 2) }, ...keys])
    assert.equal(both.unseal(sealer.seal('x', 'c'), 'c').toString(), 'x')
    assert.throws(() => sealer.unseal(both.seal('x', 'c'), 'c'), /master key `bbbbbbbb`/)
  })
})
