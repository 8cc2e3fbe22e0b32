import type { ReadStream } from 'node:tty'
import { CliError } from './cli-error.ts'
import type { CliContext } from './context.ts'

export interface PasswordOptions {
  readonly passwordPrompt?: boolean
  readonly passwordStdin?: boolean
}

/**
 * The password that a command is given: typed twice without echo, or the first line of standard
 * input. Never an argument: those are seen by every user of the machine, and kept by the shell.
 *
 * @returns `undefined` when neither was asked for
 * @throws {CliError}
 */
export async function readPassword(
  context: CliContext,
  { passwordPrompt, passwordStdin }: PasswordOptions,
): Promise<string | undefined> {
  if (passwordPrompt && passwordStdin) {
    throw new CliError('--password-prompt and --password-stdin exclude each other')
  }
  if (passwordStdin) return readFirstLine(context.stdin)
  if (!passwordPrompt) return undefined
  const first = await readHidden(context, 'Password: ')
  const second = await readHidden(context, 'Once more: ')
  if (first === second) return first
  throw new CliError('the passwords differ', { fix: 'type the same one twice' })
}

async function readFirstLine(stdin: NodeJS.ReadableStream): Promise<string> {
  const parts: Buffer[] = []
  for await (const part of stdin) parts.push(Buffer.from(part))
  const [line = ''] = Buffer.concat(parts).toString().split(/\r?\n/)
  if (line !== '') return line
  throw new CliError('no password came on standard input', {
    fix: 'write it there, as in: scopegate user passwd anna --password-stdin < password.txt',
  })
}

const ENTER = /[\r\n]/
const BACKSPACE = new Set(['\b', '\u007f'])
const END = new Set(['\u0003', '\u0004'])

/** Reads a line from the terminal that is not shown. */
function readHidden({ stdin, stderr }: CliContext, question: string): Promise<string> {
  const terminal = stdin as ReadStream
  if (!terminal.isTTY) {
    return Promise.reject(
      new CliError('there is no terminal to ask for a password', {
        fix: 'use --password-stdin, or leave both out to have a one-time password made',
      }),
    )
  }
  return new Promise((resolve, reject) => {
    const typed: string[] = []
    const finish = () => {
      terminal.off('data', read)
      terminal.setRawMode(false)
      terminal.pause()
      stderr.write('\n')
    }
    const read = (data: Buffer | string) => {
      for (const character of data.toString()) {
        if (END.has(character)) {
          finish()
          return reject(new CliError('interrupted, nothing was changed'))
        }
        if (ENTER.test(character)) {
          finish()
          return resolve(typed.join(''))
        }
        if (BACKSPACE.has(character)) typed.pop()
        else typed.push(character)
      }
    }
    stderr.write(question)
    terminal.setRawMode(true)
    terminal.on('data', read)
    terminal.resume()
  })
}
