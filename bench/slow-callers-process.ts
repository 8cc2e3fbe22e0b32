import { connect } from 'node:net'

/**
 * Callers who take their time, in a process of their own: half of them over the headers, half over
 * a body. Whoever is cut off comes again. Reads the job as JSON from stdin, prints `ready` once all
 * are connected, and at the end of stdin, which is the end of the job, how many were cut off.
 */
export interface SlowCallers {
  readonly port: number
  readonly count: number
  readonly path: string
  readonly token: string
}

if (import.meta.main) {
  const [first] = (await new Promise((resolve) =>
    process.stdin.once('data', (chunk) => resolve([chunk])),
  )) as [Buffer]
  const { port, count, path, token } = JSON.parse(first.toString()) as SlowCallers
  const head = `POST ${path} HTTP/1.1\r\nHost: gateway.example\r\nAuthorization: Bearer ${token}\r\n`
  const slowly = {
    headers: { begin: head, next: 'X-More: 1\r\n' },
    body: { begin: `${head}Content-Length: 1000000\r\n\r\n`, next: 'x' },
  }
  let connected = 0
  let cutOff = 0

  const call = ({ begin, next }: { begin: string; next: string }) => {
    const socket = connect(port, '127.0.0.1')
    let more: NodeJS.Timeout | undefined
    socket.once('connect', () => {
      connected += 1
      if (connected === count) console.log('ready')
      socket.write(begin)
      more = setInterval(() => socket.write(next), 1000 + Math.random() * 1000)
    })
    socket.resume().on('error', () => undefined)
    socket.once('close', () => {
      clearInterval(more)
      cutOff += 1
      setTimeout(call, 100, { begin, next })
    })
  }
  for (let index = 0; index < count; index += 1) {
    call(index % 2 === 0 ? slowly.headers : slowly.body)
  }
  process.stdin.resume().once('end', () => {
    console.log(cutOff)
    process.exit(0)
  })
}
