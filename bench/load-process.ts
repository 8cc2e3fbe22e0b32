import { type LoadRequest, load } from './load.ts'

/**
 * Runs one load in a process of its own, so that the generator and the server do not share an
 * event loop. Reads the job as JSON from stdin, prints the result as JSON. Bodies and paths that
 * must differ come as lists and are taken in turn, or once each.
 */
export interface LoadJob extends Omit<LoadRequest, 'body' | 'nextPath'> {
  readonly bodies?: readonly string[]
  readonly paths?: readonly string[]
  /** Each body is sent once, and the run ends with the last. */
  readonly once?: boolean
}

const { bodies, paths, once = false, ...request } = JSON.parse(await readStdin()) as LoadJob
const inTurn = (list: readonly string[]) => {
  let index = 0
  return () => list[index++ % list.length]!
}
const eachOnce = (list: readonly string[]) => {
  let index = 0
  return () => list[index++]
}
const result = await load({
  ...request,
  ...(bodies && { body: once ? eachOnce(bodies) : inTurn(bodies) }),
  ...(paths && { nextPath: inTurn(paths) }),
})
console.log(JSON.stringify(result))

async function readStdin(): Promise<string> {
  let text = ''
  for await (const chunk of process.stdin) text += chunk
  return text
}
