// Two routes of an Express app, protected by scope in the app's own process.
//
//   cd examples/express && npm install && ISSUER=https://idp.example AUDIENCE=https://api.example npm start

import { createResourceServer } from '@scopegate/token-verify'
import express from 'express'

const api = createResourceServer({
  issuer: process.env.ISSUER ?? 'http://127.0.0.1:8080',
  audience: process.env.AUDIENCE ?? 'http://127.0.0.1:3000',
  realm: 'bank',
})

/** Middleware: the request goes on with `request.token`, or is answered with 401 or 403. */
const needs =
  (...scopes) =>
  async (request, response, next) => {
    const answer = await api.authenticate(request, { scopes })
    if (answer.ok) {
      request.token = answer.token
      return next()
    }
    console.warn(answer.checks.at(-1)) // for you: which check, what was expected, what came
    response.status(answer.status).set(answer.headers).send(JSON.stringify(answer.problem))
  }

export const app = express()
app.get('/balance', needs('bank.balance.read'), (request, response) => {
  response.json({ owner: request.token.subject, dollars: 5 })
})
app.post('/transfer', needs('bank.transfer.write'), (_request, response) => {
  response.json({ ok: true })
})

if (import.meta.main) app.listen(3000, '127.0.0.1')
