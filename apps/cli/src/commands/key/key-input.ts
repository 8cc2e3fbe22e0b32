import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Command } from 'commander'
import { CliError } from '../../cli-error.ts'
import type { CliContext } from '../../context.ts'
import { readPassword } from '../../read-password.ts'

/** Where a key to import is. */
export interface MaterialOptions {
  readonly file?: string
  readonly certificate?: string
  readonly passphraseFile?: string
  readonly passphrasePrompt?: boolean
  readonly kid?: string
}

export function materialOptions(command: Command): Command {
  return command
    .requiredOption(
      '--file <file>',
      'the private key: PEM, DER, JWK or PFX; `-` for standard input',
    )
    .option('--certificate <file>', 'its certificate with the chain, PEM')
    .option('--passphrase-file <file>', 'a file with the passphrase of the key or PFX')
    .option('--passphrase-prompt', 'ask for the passphrase on the terminal, without echo')
    .option(
      '--kid <kid>',
      'what to call it (default: that of the JWK, else its RFC 7638 thumbprint)',
    )
}

/** The members of an import, as the admin API has them. @throws {CliError} */
export async function materialMembers(
  context: CliContext,
  { file = '', certificate, passphraseFile, passphrasePrompt, kid }: MaterialOptions,
): Promise<Record<string, string>> {
  const bytes = file === '-' ? await readAll(context) : readLocal(context, file)
  const passphrase =
    passphraseFile === undefined
      ? await readPassword(context, { passwordPrompt: passphrasePrompt === true })
      : readLocal(context, passphraseFile)
          .toString('utf8')
          .replace(/\r?\n$/, '')
  return {
    ...(isText(bytes) ? { key: bytes.toString('utf8') } : { key_base64: bytes.toString('base64') }),
    ...(certificate !== undefined && {
      certificate: readLocal(context, certificate).toString('utf8'),
    }),
    ...(passphrase !== undefined && { passphrase }),
    ...(kid !== undefined && { kid }),
  }
}

/** @throws {CliError} */
export function readLocal({ cwd }: CliContext, file: string): Buffer {
  try {
    return readFileSync(resolve(cwd, file))
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new CliError(`cannot read ${file}`, {
      why: code === 'ENOENT' ? 'no such file' : code,
      fix: 'check the path and its permissions',
    })
  }
}

async function readAll({ stdin }: CliContext): Promise<Buffer> {
  const parts: Buffer[] = []
  for await (const part of stdin) parts.push(Buffer.from(part))
  return Buffer.concat(parts)
}

function isText(bytes: Buffer): boolean {
  return !bytes.includes(0) && Buffer.from(bytes.toString('utf8')).equals(bytes)
}
