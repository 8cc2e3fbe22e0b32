// Two routes of a Hono app, protected by scope in the app's own process.
//
//   cd examples/hono && npm install && ISSUER=https://idp.example AUDIENCE=https://api.example npm start
//
// In a clone of the project: node --conditions=source examples/hono/server.mjs

import { serve } from '@hono/node-server'
import { createResourceServer } from '@scopegate/token-verify'
import { Hono } from 'hono'

const api = createResourceServer({
  issuer: process.env.ISSUER ?? 'http://127.0.0.1:8080',
  audience: process.env.AUDIENCE ?? 'http://127.0.0.1:3000',
  realm: 'bank',
})

/** Middleware: `c.get('token')` further on, or an answer with 401 or 403. */
const needs =
  (...scopes) =>
  async (c, next) => {
    const answer = await api.authenticate(c.req.raw, { scopes })
    if (!answer.ok) {
      console.warn(answer.checks.at(-1)) // for you: which check, what was expected, what came
      return c.body(JSON.stringify(answer.problem), answer.status, answer.headers)
    }
    c.set('token', answer.token)
    await next()
  }

export const app = new Hono()
app.get('/balance', needs('bank.balance.read'), (c) =>
  c.json({ owner: c.get('token').subject, dollars: 5 }),
)
app.post('/transfer', needs('bank.transfer.write'), (c) => c.json({ ok: true }))

if (import.meta.main) serve({ fetch: app.fetch, port: 3000, hostname: '127.0.0.1' })
