import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import {
  allowedFor,
  anyOf,
  compilePredicate,
  type FhirResource,
  type Letter,
} from '@scopegate/fhir-model'
import { compileAccess, DEFAULT_POLICY } from '@scopegate/smart-scopes'
import fc from 'fast-check'
import { LN, OC } from './fixture.ts'
import type { Harness } from './harness.ts'
import {
  type ObservationWords,
  observationOf,
  observationWords,
  world,
} from './metamorphic-world.ts'
import { openHarness } from './open-harness.ts'

/** Oracle 8 of enforcement.md 5.13: writes do what the rules say, and nothing else changes. */
const WORLDS = 4
const WRITES = 25

const CONSTRAINTS = [
  '',
  `?category=${OC}|laboratory`,
  '?category=vital-signs,social-history',
  `?code=${LN}|2345-7`,
  '?status=final',
  '?performer=Practitioner/D1',
]
const grant = fc
  .record({
    context: fc.constantFrom('patient', 'patient', 'system'),
    letters: fc.constantFrom('c', 'u', 'd', 'cu', 'cud', 'rs', 'r', 'cruds', 'us', 'rd'),
    constraint: fc.constantFrom(...CONSTRAINTS),
  })
  .map(({ context, letters, constraint }) => `${context}/Observation.${letters}${constraint}`)

const IDS = ['O0', 'O1', 'O2', 'O3', 'O4', 'O5', 'O6', 'O7', 'O8', 'nope']
type Write =
  | { readonly kind: 'POST'; readonly words: ObservationWords }
  | { readonly kind: 'PUT'; readonly id: string; readonly words: ObservationWords }
  | { readonly kind: 'DELETE'; readonly id: string }
const write: fc.Arbitrary<Write> = fc.oneof(
  fc.record({ kind: fc.constant('POST' as const), words: observationWords }),
  fc.record({
    kind: fc.constant('PUT' as const),
    id: fc.constantFrom(...IDS),
    words: observationWords,
  }),
  fc.record({ kind: fc.constant('DELETE' as const), id: fc.constantFrom(...IDS) }),
)

describe('writes', () => {
  let at: Harness
  const tokens = new Map<string, string>()
  before(async () => {
    at = await openHarness()
  })
  after(() => at.close())

  async function send(scope: string, method: string, path: string, body?: FhirResource) {
    let token = tokens.get(scope)
    if (token === undefined) {
      token = await at.mint({ scope, patient: 'P1', expiresInSeconds: 3600 })
      tokens.set(scope, token)
    }
    const headers = {
      authorization: `Bearer ${token}`,
      ...(body === undefined ? {} : { 'content-type': 'application/fhir+json' }),
    }
    const sent = body === undefined ? {} : { body: JSON.stringify(body) }
    const response = await fetch(`${at.baseUrl}/${path}`, { method, headers, ...sent })
    return { status: response.status, headers: response.headers, text: await response.text() }
  }

  /** Every current Observation, exactly as it is stored. */
  async function everything(): Promise<ReadonlyMap<string, string>> {
    const { text } = await send('system/*.rs', 'GET', 'Observation?_count=200')
    const { entry = [] } = JSON.parse(text) as { entry?: { resource: FhirResource }[] }
    return new Map(entry.map(({ resource }) => [resource.id!, JSON.stringify(resource)]))
  }

  function rulesOf(scope: string) {
    const { access } = compileAccess(
      { issuer: 'i', subject: 's', clientId: 'c', scope, patient: 'P1' },
      { ...DEFAULT_POLICY, baseUrls: [at.baseUrl] },
    )
    const predicateOf = (letter: Letter | 'visible') =>
      letter === 'visible'
        ? anyOf(allowedFor(access, 'r', 'Observation'), allowedFor(access, 's', 'Observation'))
        : allowedFor(access, letter, 'Observation')
    const permits = (
      letter: Letter | 'visible',
      resource: FhirResource,
      submitted?: { previous?: FhirResource },
    ) => {
      const matcher = compilePredicate('Observation', predicateOf(letter), { base: at.baseUrl })
      assert.ok(matcher.sync)
      return matcher.test(resource, submitted)
    }
    return { permits, kindOf: (letter: Letter) => predicateOf(letter).kind }
  }

  /** The status that the rules ask for. `last` is the content that a deletion ended. */
  function expected(
    scope: string,
    one: Write,
    stored: FhirResource | undefined,
    last: FhirResource | undefined,
  ): number {
    const { permits, kindOf } = rulesOf(scope)
    const body = one.kind === 'DELETE' ? undefined : observationOf('x', one.words)
    switch (one.kind) {
      case 'POST':
        return kindOf('c') !== 'none' && permits('c', body!, {}) ? 201 : 403
      case 'PUT':
        if (kindOf('u') === 'none') return 403
        if (stored === undefined) return kindOf('u') === 'all' ? 201 : 405
        if (!permits('u', stored)) return permits('visible', stored) ? 403 : 405
        return permits('u', body!, { previous: stored }) ? 200 : 403
      case 'DELETE': {
        if (kindOf('d') === 'none') return 403
        const judged = stored ?? last
        if (judged === undefined) return 404
        if (permits('d', judged)) return 204
        return permits('visible', judged) ? 403 : 404
      }
    }
  }

  test('do what the rules say of the old and the new content, and touch nothing else', () =>
    fc.assert(
      fc.asyncProperty(
        world,
        fc.array(fc.tuple(fc.uniqueArray(grant, { minLength: 1, maxLength: 3 }), write), {
          minLength: WRITES,
          maxLength: WRITES,
        }),
        async ({ steps }, writes) => {
          await at.reset(steps)
          const last = new Map<string, FhirResource>()
          for (const step of steps)
            if (step.kind === 'put' && step.resource.resourceType === 'Observation')
              last.set(step.resource.id, step.resource)
          let present = await everything()
          for (const [scopes, one] of writes) {
            const scope = scopes.join(' ')
            const id = one.kind === 'POST' ? undefined : one.id
            const text = id === undefined ? undefined : present.get(id)
            const stored = text === undefined ? undefined : (JSON.parse(text) as FhirResource)
            const told = `${scope}: ${JSON.stringify(one)} on ${text}`
            const status = expected(scope, one, stored, last.get(id ?? ''))
            const body =
              one.kind === 'DELETE' ? undefined : observationOf(id ?? 'ignored', one.words)
            const path = id === undefined ? 'Observation' : `Observation/${id}`
            const answer = await send(scope, one.kind, path, body)
            assert.equal(answer.status, status, `${told}: ${answer.text}`)

            const after = await everything()
            const changed = [...new Set([...present.keys(), ...after.keys()])].filter(
              (each) => present.get(each) !== after.get(each),
            )
            const made = /\/Observation\/([^/]+)\/_history/.exec(
              answer.headers.get('location') ?? '',
            )?.[1]
            const target = one.kind === 'POST' ? made : id
            const hasChanged = status < 300 && !(one.kind === 'DELETE' && stored === undefined)
            assert.deepEqual(changed, hasChanged ? [target] : [], told)
            if (status < 300 && body !== undefined && !rulesOf(scope).permits('r', body))
              assert.equal(answer.text, '', told)
            if (hasChanged && body !== undefined) last.set(target!, body)
            present = after
          }
        },
      ),
      { numRuns: WORLDS, endOnFailure: true },
    ))

  test('answer alike for what is hidden and what is not there', () =>
    fc.assert(
      fc.asyncProperty(
        world,
        fc.array(fc.tuple(fc.uniqueArray(grant, { minLength: 1, maxLength: 2 }), write), {
          minLength: WRITES,
          maxLength: WRITES,
        }),
        async ({ steps }, writes) => {
          await at.reset(steps)
          for (const [scopes, one] of writes) {
            if (one.kind === 'POST' || one.id === 'nope') continue
            const scope = scopes.join(' ')
            const text = (await everything()).get(one.id)
            if (text === undefined) continue
            const { permits, kindOf } = rulesOf(scope)
            const letter = one.kind === 'PUT' ? 'u' : 'd'
            const stored = JSON.parse(text) as FhirResource
            // An unrestricted `u` may choose ids, and so learns which are taken (X1).
            if (kindOf('u') === 'all' || permits(letter, stored) || permits('visible', stored))
              continue
            const ask = async (id: string) => {
              const body = one.kind === 'PUT' ? observationOf(id, one.words) : undefined
              const {
                status,
                headers,
                text: said,
              } = await send(scope, one.kind, `Observation/${id}`, body)
              const kept = ['allow', 'etag', 'location', 'www-authenticate', 'last-modified']
              return [
                status,
                kept.map((name) => headers.get(name)),
                said.replaceAll(/correlation id \w+/g, ''),
              ]
            }
            assert.deepEqual(await ask(one.id), await ask('never-there'), scope)
          }
        },
      ),
      { numRuns: WORLDS, endOnFailure: true },
    ))
})
