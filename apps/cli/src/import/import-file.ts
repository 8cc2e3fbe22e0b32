import type { IncomingMessage } from 'node:http'
import { createInterface } from 'node:readline'
import { CliError } from '../cli-error.ts'
import type { AdminClient } from '../connection/admin-client.ts'
import { openInput } from './open-input.ts'
import type { ProgressBar } from './progress-bar.ts'

export interface TypeCounts {
  readonly in: number
  readonly unchanged: number
  readonly refused: number
}

export interface FileReport {
  readonly file: string
  readonly in: number
  readonly unchanged: number
  readonly refused: number
  readonly types: Readonly<Record<string, TypeCounts>>
  readonly seconds: number
  readonly refusals: readonly Refusal[]
  /** Why not all of the file is in, besides refused lines. */
  readonly problem?: CliError
}

export interface Refusal {
  readonly file: string
  readonly line: number
  readonly entry?: number
  readonly type?: string
  readonly id?: string
  readonly why: string
}

/** Refusals beyond this many are counted, not kept. */
const KEPT_REFUSALS = 10_000

/** Streams one file into the server, and reads what the server says while it does. */
export async function importFile(
  admin: AdminClient,
  file: string,
  bar: ProgressBar,
  onRefusal: (refusal: Refusal) => void,
): Promise<FileReport> {
  const input = await openInput(file)
  const stream = await admin.stream('/import', 'application/x-ndjson')
  let resources = 0
  const show = () =>
    bar.update({ doneBytes: input.readBytes(), totalBytes: input.sizeBytes, resources })

  const sending = (async () => {
    for await (const chunk of input.chunks) {
      await stream.write(chunk)
      show()
    }
    stream.end()
  })()

  const refusals: Refusal[] = []
  let report: FileReport | undefined
  let failure: CliError | undefined
  const receiving = (async () => {
    const answer = await stream.answer
    if (answer.statusCode !== 200) throw await refusedAnswer(answer)
    for await (const line of createInterface({ input: answer })) {
      const event = JSON.parse(line)
      if (event.kind === 'progress') {
        resources = event.read
        show()
      } else if (event.kind === 'refused') {
        const { kind, ...refusal } = event
        onRefusal({ file, ...refusal })
        if (refusals.length < KEPT_REFUSALS) refusals.push({ file, ...refusal })
      } else if (event.kind === 'failed') {
        failure = new CliError(`the import of ${file} broke off`, {
          where: `${file}, after ${event.lines} lines`,
          why: event.why,
          fix: event.fix,
        })
      } else if (event.kind === 'report') {
        report = { file, ...event, refusals }
      }
    }
  })()

  // Whoever fails first says why: a server that refuses also breaks the sending.
  await Promise.all([
    receiving,
    sending.catch((error) => receiving.then(() => Promise.reject(error))),
  ]).catch((error) => {
    throw error instanceof CliError ? error : brokenOff(file)
  })
  const problem = failure ?? (await input.problem())
  if (!report) throw brokenOff(file)
  return problem ? { ...report, problem } : report
}

/** The connection ended in the middle: the server was stopped or killed. */
function brokenOff(file: string): CliError {
  return new CliError(`the server broke off while importing ${file}`, {
    fix: 'look at its log, then import the same file again: nothing is stored twice',
  })
}

async function refusedAnswer(answer: IncomingMessage) {
  const parts: Buffer[] = []
  for await (const part of answer) parts.push(part)
  const text = Buffer.concat(parts).toString()
  const { detail, fix } = /^\{/.test(text)
    ? JSON.parse(text)
    : { detail: undefined, fix: undefined }
  return new CliError(detail ?? `the server answered ${answer.statusCode}`, { fix })
}
