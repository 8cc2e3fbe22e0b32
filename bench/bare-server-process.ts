import { createServer } from 'node:http'

/**
 * The limit that HTTP itself sets: a bare Node server that answers every request with the same
 * bytes. Reads the answer as JSON from stdin, prints its port.
 */
let text = ''
for await (const chunk of process.stdin) text += chunk
const { headers, body } = JSON.parse(text) as { headers: Record<string, string>; body: string }
const bytes = Buffer.from(body)

createServer((request, response) => {
  request.resume()
  request.on('end', () => {
    response.writeHead(200, { ...headers, 'content-length': bytes.length })
    response.end(bytes)
  })
}).listen(0, '127.0.0.1', function (this: { address(): unknown }) {
  console.log((this.address() as { port: number }).port)
})
