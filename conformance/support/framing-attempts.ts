/**
 * Requests to `/api/public/ID` and `/api/admin` of a gateway that two programs may frame in two
 * ways, as bytes for one connection each.
 *
 * @param id stands in every path, so that what arrives is told apart
 */
export function framingAttempts(id: string): readonly string[] {
  const smuggled = `GET /api/public/${id} HTTP/1.1\r\nHost: g\r\n\r\n`
  const admin = `GET /api/admin?${id} HTTP/1.1\r\nHost: g\r\n\r\n`
  const post = (headers: string, body: string) =>
    `POST /api/public/${id} HTTP/1.1\r\nHost: g\r\n${headers}\r\n\r\n${body}`
  return [
    post('Content-Length: 4\r\nTransfer-Encoding: chunked', `0\r\n\r\n${smuggled}`),
    post('Transfer-Encoding: chunked\r\nContent-Length: 100', `0\r\n\r\n${admin}`),
    post('Content-Length: 0\r\nContent-Length: 60', smuggled),
    post('Content-Length: 1, 1', `x${smuggled}`),
    post('Content-Length: +1', `x${smuggled}`),
    post('Content-Length: 0x10', smuggled),
    post('Transfer-Encoding: xchunked', `0\r\n\r\n${smuggled}`),
    post('Transfer-Encoding: chunked, identity', `0\r\n\r\n${smuggled}`),
    post('Transfer-Encoding: identity, chunked', `0\r\n\r\n${smuggled}`),
    post('Transfer-Encoding: chunked\r\nTransfer-Encoding: x', `0\r\n\r\n${smuggled}`),
    post('Transfer-Encoding : chunked\r\nContent-Length: 5', `0\r\n\r\n${admin}`),
    post('Transfer-Encoding:\x0bchunked\r\nContent-Length: 5', `0\r\n\r\n${admin}`),
    post('Transfer-Encoding:\r\n chunked\r\nContent-Length: 5', `0\r\n\r\n${admin}`),
    post('X: a\rTransfer-Encoding: chunked', `0\r\n\r\n${smuggled}`),
    post('X: a\nTransfer-Encoding: chunked', `0\r\n\r\n${smuggled}`),
    post('X: a\0b\r\nContent-Length: 0', smuggled),
    post('Transfer_Encoding: chunked\r\nContent-Length: 5', `0\r\n\r\n${smuggled}`),
    post('Transfer-Encoding: chunked', `1;a\r\nx\r\n0\r\nX: 1\r\n\r\n${smuggled}`),
    post('Transfer-Encoding: chunked', `1\nx\n0\n\n${smuggled}`),
    post('Transfer-Encoding: chunked', `+1\r\nx\r\n0\r\n\r\n${smuggled}`),
    post('Transfer-Encoding: chunked', `100000000000000001\r\nx\r\n0\r\n\r\n${smuggled}`),
    post('Transfer-Encoding: chunked', `0\r\nContent-Length: 60\r\n\r\n${smuggled}`),
    post(`Connection: Content-Length\r\nContent-Length: ${smuggled.length}`, smuggled),
    post('Connection: Transfer-Encoding\r\nTransfer-Encoding: chunked', `0\r\n\r\n${smuggled}`),
    post(`Expect: 100-continue\r\nContent-Length: ${smuggled.length}`, smuggled),
    `GET /api/public/${id} HTTP/1.1\r\nHost: g\r\nContent-Length: ${admin.length}\r\n\r\n${admin}${smuggled}`,
    `GET /api/public/${id} HTTP/1.1\r\nHost: g\r\nUpgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABkAAQ\r\n\r\n${smuggled}`,
    `GET /api/public/${id} HTTP/1.1\r\nHost: g\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 777\r\n\r\n${admin}`,
    `GET /api/public/${id} HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${smuggled}`,
    `GET http://evil.example/api/public/${id} HTTP/1.1\r\nHost: g\r\n\r\n${smuggled}`,
    `${smuggled}${post('Content-Length: 3', 'abc')}${smuggled}`,
    post('Transfer-Encoding: chunked', `3\r\nabc\r\n0\r\n\r\n${smuggled}`),
  ]
}
