import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import type { Trace } from '@scopegate/audit'
import { sampleResources } from '@scopegate/lab'
import { openEchoApp } from './support/echo-app.ts'
import { openSmartServer } from './support/open-smart-server.ts'

const echo = await openEchoApp()
const server = await openSmartServer({
  yaml: `apis:
  - name: ward
    path: /ward
    upstream: ${echo.url}
    auth: { username: preferred_username }
    scopes: { ward.read: See the ward }
    routes:
      - { path: "/beds/{id}", methods: [GET], scopes: [ward.read] }
      - { path: "/beds/{id}/notes", scopes: [ward.write] }
      - { path: "/open/*", public: true }
    forward: { headers: { X-User: username } }
`,
})
after(async () => {
  await server.close()
  await echo.close()
})
const writer = await tokenFor('system/*.cruds')
const lab = await tokenFor('system/Observation.rs?category=laboratory')

async function tokenFor(scopes: string): Promise<string> {
  const app = await server.app({ as: 'secret', scopes, grants: ['client_credentials'] })
  const { json } = await app.clientCredentials(scopes, { set: { resource: server.fhirUrl } })
  assert.ok(json.access_token, JSON.stringify(json))
  return json.access_token
}

interface Named {
  readonly resourceType: string
  readonly id: string
  readonly identifier?: readonly { readonly value?: string }[]
  readonly name?: readonly { readonly family?: string }[] | string
  readonly birthDate?: string
}

const people = [...sampleResources()]
  .map((resource) => resource as unknown as Named)
  .filter(({ resourceType }) => resourceType === 'Patient')

/** Everything in the sample that tells one person from another. */
const identifying = people.flatMap(({ id, identifier = [], name, birthDate }) => [
  id,
  ...identifier.flatMap(({ value }) => value ?? []),
  ...(Array.isArray(name) ? name.flatMap(({ family }) => family ?? []) : []),
  ...(birthDate === undefined ? [] : [birthDate]),
])

describe('traces hold nobody', () => {
  test('of everything that was asked, no identifier, name, birth date or token is kept', async () => {
    assert.ok(people.length >= 8 && identifying.length >= 24)
    for (const { id, identifier, name, birthDate } of people) {
      const family = Array.isArray(name) ? (name[0]?.family ?? '') : ''
      const value = identifier?.[0]?.value ?? ''
      const body = JSON.stringify({
        resourceType: 'Observation',
        status: 'final',
        code: { text: family },
        subject: { reference: `Patient/${id}`, display: family },
      })
      const requests: readonly [method: string, path: string, body?: string][] = [
        ['GET', `/Patient/${id}`],
        ['GET', `/Patient/${id}/_history`],
        ['GET', `/Patient?identifier=${value}&birthdate=${birthDate}`],
        ['GET', `/Patient?family=${family}&_sort=-birthdate`],
        ['GET', `/Observation?patient=Patient/${id}&_include=Observation:subject`],
        ['GET', `/Observation?subject:Patient.name=${family}`],
        ['GET', `/Observation?${family}=${value}`],
        ['GET', `/${family}/${id}`],
        ['GET', `/Observation/${id}`],
        ['POST', '/Observation', body],
        ['PUT', `/Observation/${id}-x`, body],
        ['DELETE', `/Observation/${id}-x`],
        [
          'POST',
          '',
          JSON.stringify({
            resourceType: 'Bundle',
            type: 'batch',
            entry: [{ request: { method: 'GET', url: `Patient/${id}?identifier=${value}` } }],
          }),
        ],
      ]
      for (const token of [writer, lab, undefined, `${lab}x`]) {
        for (const [method, path, text] of requests) {
          const answer = await server.fhir(token, path.slice(1), {
            method,
            ...(text !== undefined && {
              body: text,
              headers: { 'content-type': 'application/fhir+json' },
            }),
          })
          await answer.arrayBuffer()
        }
      }
    }
    const traces: Trace[] = []
    for (const outcome of ['permitted', 'refused', 'absent', 'failed']) {
      const found = await server.admin<{ traces: Trace[] }>(
        'GET',
        `/traces?limit=500&outcome=${outcome}`,
      )
      traces.push(...found.traces)
    }
    assert.ok(traces.length > 200, `${traces.length} traces`)
    const text = JSON.stringify(traces)
    for (const secret of [...identifying, writer, lab, writer.split('.')[2]!]) {
      const at = text.indexOf(secret)
      const context = at === -1 ? '' : text.slice(Math.max(0, at - 200), at + 60)
      assert.equal(at, -1, `${secret.slice(0, 40)} is in a trace: ${context}`)
    }
  })
})

describe('traces of people hold nobody either', () => {
  /** What traces say of requests from here on. */
  async function tracesSince(atMs: number): Promise<readonly Trace[]> {
    const traces: Trace[] = []
    for (const outcome of ['permitted', 'refused', 'absent', 'failed']) {
      const found = await server.admin<{ traces: Trace[] }>(
        'GET',
        `/traces?limit=500&outcome=${outcome}`,
      )
      traces.push(...found.traces.filter((trace) => trace.atMs >= atMs))
    }
    return traces
  }
  const holdsNobody = (traces: readonly Trace[], more: readonly string[]) => {
    const text = JSON.stringify(traces)
    for (const secret of [...identifying, ...more]) {
      const at = text.indexOf(secret)
      const context = at === -1 ? '' : text.slice(Math.max(0, at - 200), at + 60)
      assert.equal(at, -1, `${secret.slice(0, 40)} is in a trace: ${context}`)
    }
  }

  test('of a patient who launches an app and asks for what is theirs and what is not', async () => {
    const since = Date.now()
    const [own, other] = people
    assert.ok(own && other)
    const scope = 'openid fhirUser launch/patient patient/Patient.rs patient/Observation.rs'
    const app = await server.app({ scopes: scope })
    const person = await server.user({ fhirUser: `Patient/${own.id}` })
    const { accessToken } = await server.launch(app, person, { scope })
    for (const path of [
      `Patient/${own.id}`,
      `Patient/${other.id}`,
      `Observation?patient=${own.id}`,
      `Observation?patient=Patient/${other.id}&_include=Observation:subject`,
      `Patient?identifier=${other.identifier?.[0]?.value}`,
      `Condition?patient=${other.id}`,
    ]) {
      await (await server.fhir(accessToken, path)).arrayBuffer()
    }
    const traces = await tracesSince(since)
    assert.ok(traces.filter(({ clientId }) => clientId === app.clientId).length >= 6)
    holdsNobody(traces, [accessToken, person.id, person.username])
  })

  test('of an ordinary API whose addresses name people, whoever asks', async () => {
    const since = Date.now()
    const app = await server.app({
      as: 'secret',
      scopes: 'ward.read',
      grants: ['client_credentials'],
    })
    const { json } = await app.clientCredentials('ward.read', {
      set: { resource: `${server.url}/ward` },
    })
    const token = String(json.access_token)
    for (const { id, identifier, birthDate } of people) {
      const value = identifier?.[0]?.value ?? ''
      for (const path of [
        `/beds/${value}?born=${birthDate}`,
        `/beds/${value}/notes?patient=${id}`,
        `/nowhere/${id}/${birthDate}`,
        `/open/${value}?${value}=${id}`,
      ]) {
        for (const sent of [token, undefined, `${token}x`]) {
          const answer = await fetch(`${server.url}/ward${path}`, {
            method: path.includes('notes') ? 'POST' : 'GET',
            headers: {
              ...(sent !== undefined && { authorization: `Bearer ${sent}` }),
              'x-patient': id,
            },
            ...(path.includes('notes') && { body: JSON.stringify({ id, value, birthDate }) }),
          })
          await answer.arrayBuffer()
        }
      }
    }
    const traces = (await tracesSince(since)).filter(({ endpoint }) => endpoint.endsWith('/ward'))
    assert.ok(traces.length >= people.length * 6, `${traces.length} traces`)
    assert.ok(traces.some(({ outcome }) => outcome === 'permitted'))
    holdsNobody(traces, [token, token.split('.')[2] ?? ''])
  })
})

describe('the operator', () => {
  test('diagnoses a token as it is pasted; the backend is not asked; the asking is audited', async () => {
    const asked = { token: lab, method: 'GET', url: `${server.fhirUrl}/Patient/${people[0]!.id}` }
    const before = await accesses()
    const told = await server.admin<{ status: number; checks: { name: string; code?: string }[] }>(
      'POST',
      '/diagnose/token',
      asked,
    )
    assert.equal(told.status, 403)
    const failed = told.checks.find(({ code }) => code !== undefined)
    assert.deepEqual([failed?.name, failed?.code], ['interaction', 'type_not_granted'])
    assert.equal(await accesses(), before)
    const rows = await server.sql('SELECT * FROM audit_admin')
    const row = rows.map((each) => JSON.stringify(each)).find((each) => each.includes('explain'))
    assert.ok(row)
    for (const secret of [lab, people[0]!.id]) assert.ok(!row.includes(secret))
  })

  async function accesses(): Promise<unknown> {
    return (await server.sql('SELECT count(*) AS n FROM audit_access'))[0]?.n
  }

  test('asks what a request would need, and a token with that is enough', async () => {
    const needs = await server.admin<{ scopes: { scopes: string[] }[] }>('POST', '/explain/needs', {
      method: 'GET',
      url: '/fhir/r4/Observation?category=laboratory',
    })
    const [smallest] = needs.scopes
      .map(({ scopes }) => scopes.join(' '))
      .filter((scopes) => scopes.startsWith('system/'))
    assert.equal(smallest, 'system/Observation.s?category=laboratory')
    const answer = await server.fhir(
      await tokenFor(smallest!),
      'Observation?category=laboratory&_summary=count',
    )
    assert.equal(answer.status, 200)
    assert.equal(((await answer.json()) as { total: number }).total, 116)
  })

  test('watches requests as they come', async () => {
    const answer = await server.adminCall('GET', '/traces?follow&code=type_not_granted')
    assert.match(answer.headers.get('content-type') ?? '', /^text\/event-stream/)
    const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader()
    // New is what comes once the stream looks: asked until something shows.
    const asking = setInterval(() => {
      server.fhir(lab, 'Patient').then((each) => each.arrayBuffer(), console.error)
    }, 200)
    let text = ''
    while (!text.includes('event: trace')) text += (await reader.read()).value ?? ''
    clearInterval(asking)
    await reader.cancel()
    const data = /event: trace\ndata: (.*)\n/.exec(text)?.[1]
    const trace = JSON.parse(data ?? 'null') as Trace
    assert.deepEqual([trace.path, trace.status, trace.outcome], ['/Patient', 403, 'refused'])
  })

  test('asks the doctor', async () => {
    const report = await server.admin<{
      outcome: string
      findings: { check: string; outcome: string }[]
    }>('GET', '/doctor')
    const of = (check: string) => report.findings.find((each) => each.check === check)?.outcome
    assert.deepEqual(
      [of('reach'), of('migrations'), of('data directory')],
      ['pass', 'pass', 'pass'],
    )
  })

  test('sees in the metrics how many traces were left out', async () => {
    const text = await (await fetch(`${server.url}/metrics`)).text()
    assert.match(text, /scopegate_traces_dropped\{why="sampled"\} \d+/)
    assert.match(text, /scopegate_traces_dropped\{why="lost"\} 0/)
  })
})
