// Two routes of a Fastify app, protected by scope in the app's own process.
//
//   cd examples/fastify && npm install && ISSUER=https://idp.example AUDIENCE=https://api.example npm start

import { createResourceServer } from '@scopegate/token-verify'
import Fastify from 'fastify'

const api = createResourceServer({
  issuer: process.env.ISSUER ?? 'http://127.0.0.1:8080',
  audience: process.env.AUDIENCE ?? 'http://127.0.0.1:3000',
  realm: 'bank',
})

/** A hook of the route: sets `request.token`, or answers with 401 or 403. */
const needs =
  (...scopes) =>
  async (request, reply) => {
    const answer = await api.authenticate(request, { scopes })
    if (answer.ok) {
      request.token = answer.token
      return
    }
    request.log.warn(answer.checks.at(-1), 'refused')
    return reply.code(answer.status).headers(answer.headers).send(JSON.stringify(answer.problem))
  }

export const app = Fastify({ logger: true })
app.decorateRequest('token', null)
app.get('/balance', { onRequest: needs('bank.balance.read') }, async (request) => ({
  owner: request.token.subject,
  dollars: 5,
}))
app.post('/transfer', { onRequest: needs('bank.transfer.write') }, async () => ({ ok: true }))

if (import.meta.main) await app.listen({ port: 3000, host: '127.0.0.1' })
