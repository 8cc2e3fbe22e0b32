import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { CliError } from '../../cli-error.ts'
import type { AdminClient } from '../../connection/admin-client.ts'
import type { CliContext } from '../../context.ts'
import { clientPath } from './client-answer.ts'

/** Stands in the files of a kit where the secret goes. */
const PLACEHOLDER = 'PUT-THE-CLIENT-SECRET-HERE'

/**
 * Writes the files that try a client with, for this user only, and puts the secret where it goes if
 * it is known. @returns the folder. @throws {CliError} if one of the files is there already.
 */
export async function writeKit(
  context: CliContext,
  admin: AdminClient,
  kit: { readonly clientId: string; readonly clientSecret?: string; readonly folder: string },
): Promise<string> {
  const folder = resolve(context.cwd, kit.folder)
  const { files } = await admin.call<{ files: Record<string, string> }>(
    'GET',
    `${clientPath(kit.clientId)}/kit`,
  )
  for (const [name, text] of Object.entries(files)) {
    const file = join(folder, name)
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
    write(file, text.replaceAll(PLACEHOLDER, kit.clientSecret ?? PLACEHOLDER))
    if (name.endsWith('.sh')) chmodSync(file, 0o700)
  }
  return folder
}

/** Before the client is made: a folder that cannot be used must not cost a secret. @throws {CliError} */
export function prepareKitFolder(context: CliContext, name: string): void {
  const folder = resolve(context.cwd, name)
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
  } catch (error) {
    throw new CliError('the folder for the kit cannot be made', {
      where: folder,
      why: (error as Error).message,
      fix: 'name another with --kit',
    })
  }
  // Of every kit; what else is in the folder does no harm.
  const file = ['curl.sh', 'postman_collection.json', '.env']
    .map((each) => join(folder, each))
    .find((each) => existsSync(each))
  if (file === undefined) return
  throw new CliError('a kit is there already', {
    where: file,
    fix: 'name another folder with --kit, or remove this one; no client was made',
  })
}

function write(file: string, text: string): void {
  try {
    // An older kit may be of another client, and its mode too wide.
    writeFileSync(file, text, { mode: 0o600, flag: 'wx' })
  } catch (error) {
    const isThere = (error as NodeJS.ErrnoException).code === 'EEXIST'
    throw new CliError('the kit cannot be written', {
      where: file,
      why: isThere ? 'the file is there already' : (error as Error).message,
      fix: 'name an empty folder, with `scopegate client kit <client_id> <folder>`',
    })
  }
}
