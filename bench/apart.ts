import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { LoadResult } from './load.ts'
import type { LoadJob } from './load-process.ts'

/** {@link load} in a process of its own. */
export async function loadApart(job: LoadJob): Promise<LoadResult> {
  return runApart('load-process.ts', job)
}

/** A script of this folder in a process of its own: takes its job from stdin, prints its result. */
export async function runApart<Result>(script: string, job: unknown): Promise<Result> {
  const child = startScript(script, job)
  const [output] = await Promise.all([collect(child), once(child, 'exit')])
  return JSON.parse(output) as Result
}

/** Serves the answer that `url` gives now, byte for byte, from a bare Node server. */
export async function withBareServer<T>(
  answer: Response,
  use: (origin: string) => Promise<T>,
): Promise<T> {
  const headers = Object.fromEntries(
    [...answer.headers].filter(
      ([name]) => !/^(connection|keep-alive|date|content-length|transfer-encoding)$/.test(name),
    ),
  )
  const child = startScript('bare-server-process.ts', { headers, body: await answer.text() })
  try {
    const [chunk] = (await once(child.stdout!, 'data')) as [Buffer]
    return await use(`http://127.0.0.1:${chunk.toString().trim()}`)
  } finally {
    child.kill()
  }
}

function startScript(name: string, input: unknown): ChildProcess {
  const script = fileURLToPath(new URL(name, import.meta.url))
  const child = spawn(process.execPath, ['--conditions=source', script], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  child.stdin!.end(JSON.stringify(input))
  return child
}

async function collect(child: ChildProcess): Promise<string> {
  let text = ''
  for await (const chunk of child.stdout!) text += chunk
  if (text === '') throw new Error('the load process gave no result; its error is above')
  return text
}
