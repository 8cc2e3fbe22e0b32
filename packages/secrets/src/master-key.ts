import { createHash, randomBytes } from 'node:crypto'
import { link, mkdir, open, readFile, rename, stat, unlink } from 'node:fs/promises'
import { dirname } from 'node:path'

/** One key of the master key file. `id` is written beside everything the key seals. */
export interface MasterKey {
  readonly id: string
  readonly key: Buffer
}

/** A master key cannot be used. The message says why and what to do; it never holds key material. */
export class MasterKeyError extends Error {
  override readonly name = 'MasterKeyError'
}

const LINE = /^scopegate-key:v1:([A-Za-z0-9_-]{8}):([A-Za-z0-9_-]{43})$/

/**
 * Reads the master keys from `file`, and makes the file (0600, with one new key) if there is none.
 * Two processes that start at the same moment get the same key. The newest key
 * stands on top; the others unseal until all is sealed anew. Which one seals, `openSealing` tells.
 *
 * @throws {MasterKeyError} if others may read the file, or if it is not a key file.
 */
export async function openMasterKeys(file: string): Promise<readonly MasterKey[]> {
  const keys = (await readKeys(file)) ?? (await createKeys(file))
  if (keys.length > 0) return keys
  throw new MasterKeyError(`\`${file}\` holds no key: restore it from a backup`)
}

/**
 * A master key that is kept elsewhere (a secret reference): 32 bytes, base64url or base64. Its id
 * follows from it, so that every server with the same key names it the same.
 *
 * @throws {MasterKeyError}
 */
export function masterKeyFromText(text: string): MasterKey {
  const line = LINE.exec(text.trim())
  if (line !== null)
    return { id: line[1] as string, key: Buffer.from(line[2] as string, 'base64url') }
  const key = Buffer.from(text.trim(), 'base64')
  if (!/^[A-Za-z0-9+/_-]{43}=?$/.test(text.trim()) || key.length !== 32) {
    throw new MasterKeyError(
      'the master key must be 32 random bytes in base64: make one with `openssl rand -base64 32`',
    )
  }
  const id = createHash('sha256').update('scopegate master key id').update(key).digest('base64url')
  return { id: id.slice(0, 8), key }
}

/**
 * Master keys that are kept elsewhere, one on each line: the form of the file, or as
 * `masterKeyFromText` takes it.
 *
 * @throws {MasterKeyError}
 */
export function masterKeysFromText(text: string): readonly MasterKey[] {
  return text
    .split(/\r?\n/)
    .filter((line) => line.trim() !== '' && !line.startsWith('#'))
    .map(masterKeyFromText)
}

/**
 * Puts a new key on top of the file: known from then on, in force once a re-keying makes it so.
 *
 * @throws {MasterKeyError} if the file is not a usable key file; also what `fs` throws if it cannot be written.
 */
export async function addMasterKey(file: string): Promise<MasterKey> {
  if ((await readKeys(file)) === undefined) {
    throw new MasterKeyError(`\`${file}\` does not exist: there is no key to put a new one above`)
  }
  const { key, line } = newKey()
  const text = await readFile(file, 'utf8')
  await writeDraft(file, key.id, `${line}${text}`, (draft) => rename(draft, file))
  return key
}

async function readKeys(file: string): Promise<MasterKey[] | undefined> {
  let text: string
  try {
    await checkPermissions(file)
    text = await readFile(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  return text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line, index) => {
      const [, id, key] = LINE.exec(line.trim()) ?? []
      if (id === undefined || key === undefined) {
        throw new MasterKeyError(
          `\`${file}\`, key ${index + 1}: not a Scopegate master key; restore the file from a backup (without it, what it sealed is lost)`,
        )
      }
      return { id, key: Buffer.from(key, 'base64url') }
    })
}

async function checkPermissions(file: string): Promise<void> {
  const { mode, isFile } = await stat(file).then((found) => ({
    mode: found.mode,
    isFile: found.isFile(),
  }))
  if (!isFile) throw new MasterKeyError(`\`${file}\` is not a file`)
  // Windows has no such bits; there the user's profile folder protects the file.
  if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
    throw new MasterKeyError(
      `\`${file}\` can be read by others (mode 0${(mode & 0o777).toString(8)}): run \`chmod 600 ${file}\``,
    )
  }
}

async function createKeys(file: string): Promise<MasterKey[]> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 })
  const { key, line } = newKey()
  const text = `# Seals secrets and signing keys in the database. Keep a copy apart from database backups.\n${line}`
  await writeDraft(file, key.id, text, async (draft) => {
    try {
      // `link` fails if the name exists: of two processes exactly one creates the file, whole.
      await link(draft, file)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    } finally {
      await unlink(draft)
    }
  })
  return (await readKeys(file)) ?? []
}

function newKey(): { readonly key: MasterKey; readonly line: string } {
  const key = { id: randomBytes(6).toString('base64url'), key: randomBytes(32) }
  return { key, line: `scopegate-key:v1:${key.id}:${key.key.toString('base64url')}\n` }
}

/** Writes a file of its own, 0600 and on the disk, and hands it over. */
async function writeDraft(
  file: string,
  id: string,
  text: string,
  put: (draft: string) => Promise<void>,
): Promise<void> {
  const draft = `${file}.${process.pid}.${id}`
  const handle = await open(draft, 'wx', 0o600)
  try {
    await handle.writeFile(text)
    await handle.sync()
  } finally {
    await handle.close()
  }
  await put(draft)
}
