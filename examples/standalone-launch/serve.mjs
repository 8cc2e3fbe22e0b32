// Serves index.html and nothing else: any static server does.
import { createReadStream } from 'node:fs'
import { createServer } from 'node:http'

const port = Number(process.argv[2] ?? 3001)
createServer((_request, response) => {
  response.setHeader('content-type', 'text/html; charset=utf-8')
  createReadStream(new URL('index.html', import.meta.url)).pipe(response)
}).listen(port, '127.0.0.1', () => console.log(`http://127.0.0.1:${port}/`))
