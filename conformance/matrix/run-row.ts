import assert from 'node:assert/strict'
import { FIXTURE, type FixtureStep, observation } from '../fixture.ts'
import type { Harness, TokenWish } from '../harness.ts'
import { expand } from './macros.ts'
import type { Claims, Expectation, Row, Step } from './row.ts'

interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
}
interface Entry {
  readonly fullUrl?: string
  readonly search?: { readonly mode?: string }
  readonly request?: { readonly url?: string; readonly method?: string }
  readonly response?: { readonly status?: string; readonly etag?: string }
  readonly resource?: {
    readonly resourceType: string
    readonly id: string
    readonly meta?: { readonly versionId?: string }
  }
}
interface Bundle {
  readonly total?: number
  readonly entry?: readonly Entry[]
  readonly link?: readonly { readonly relation: string; readonly url: string }[]
}

const MAX_PAGES = 50

/** Plays a row and asserts every outcome that it states. */
export async function runRow(harness: Harness, row: Row): Promise<void> {
  let lastBundle: Bundle | undefined
  const seen: { readonly step: Step; readonly answer: Answer }[] = []
  for (const step of row.steps) {
    const authorization = await authorizationOf(harness, row, step)
    const answer = await send(
      addressOf(harness, step, lastBundle),
      step.body === undefined ? step : { ...step, body: expandIn(step.body, harness) },
      authorization,
    )
    const where = `${row.id} ${step.request}\n${answer.status} ${answer.text.slice(0, 2000)}`
    checkAnswer(answer, step.expect, where)
    if (
      step.expect.matches !== undefined ||
      step.expect.includes !== undefined ||
      step.expect.includesWithin !== undefined
    )
      await checkPages(harness, answer, step.expect, authorization, where)
    if (answer.headers.get('content-type')?.includes('json') && answer.text.includes('"Bundle"'))
      lastBundle = JSON.parse(answer.text) as Bundle
    seen.push({ step, answer })
  }
  if (row.identical === true) checkIdentical(row, seen)
}

async function authorizationOf(
  harness: Harness,
  row: Row,
  step: Step,
): Promise<string | undefined> {
  const scope = step.scope ?? row.scope
  if (scope === null) return undefined
  const claims: Claims = { ...row.claims, ...step.claims }
  // A system has neither patient nor user.
  const patient = scope.startsWith('system/')
    ? undefined
    : claims.patient === undefined
      ? 'P1'
      : claims.patient
  const { patient: _, ...rest } = claims
  const wish: TokenWish = {
    scope: expand(scope),
    ...expandIn(rest, harness),
    ...(patient == null ? {} : { patient }),
  }
  const token = await harness.mint(wish)
  return `Bearer ${step.signature === 'broken' ? breakSignature(token) : token}`
}

/** What is to be in the store when the row is played. */
export function stepsFor(row: Row, { baseUrl }: Harness): readonly FixtureStep[] {
  const also = expandIn(row.also ?? [], { baseUrl })
  return [...FIXTURE, ...also.map((resource) => ({ kind: 'put' as const, resource }))]
}

function expandIn<T>(value: T, { baseUrl }: { readonly baseUrl: string }): T {
  return JSON.parse(expand(JSON.stringify(value), baseUrl)) as T
}

function breakSignature(token: string): string {
  const at = token.lastIndexOf('.') + 10
  return `${token.slice(0, at)}${token[at] === 'A' ? 'B' : 'A'}${token.slice(at + 1)}`
}

function addressOf({ baseUrl }: Harness, step: Step, last: Bundle | undefined): URL {
  if (step.follow === undefined)
    return new URL(`${baseUrl}/${expand(step.request.split(' ')[1] ?? '', baseUrl)}`)
  const url = linkOf(last, step.follow)
  assert.ok(url, `no \`${step.follow}\` link to follow`)
  const address = step.tamper === true ? tampered(url) : url
  return new URL(`${address}${step.append ?? ''}`, `${baseUrl}/`)
}

/** Changes one character in the middle of the longest parameter, which is the cursor. */
function tampered(url: string): string {
  const longest = [...new URL(url, 'http://base.invalid').searchParams.values(), ''].sort(
    (a, b) => b.length - a.length,
  )[0]!
  const encoded = url.includes(longest) ? longest : encodeURIComponent(longest)
  const at = url.indexOf(encoded) + Math.floor(encoded.length / 2)
  return `${url.slice(0, at)}${url[at] === 'A' ? 'B' : 'A'}${url.slice(at + 1)}`
}

async function send(url: URL, step: Step, authorization: string | undefined): Promise<Answer> {
  const headers = new Headers({ accept: 'application/fhir+json', ...step.headers })
  if (authorization !== undefined) headers.set('authorization', authorization)
  const body = bodyOf(step)
  if (body !== undefined && !headers.has('content-type')) headers.set('content-type', body.type)
  const response = await fetch(url, {
    method: step.request.split(' ')[0]!,
    headers,
    redirect: 'manual',
    ...(body === undefined ? {} : { body: body.text }),
  })
  return { status: response.status, headers: response.headers, text: await response.text() }
}

function bodyOf({ body }: Step): { readonly text: string; readonly type: string } | undefined {
  if (body === undefined) return undefined
  if ('form' in body) return { text: body.form, type: 'application/x-www-form-urlencoded' }
  const type = 'application/fhir+json'
  if ('text' in body) return { text: body.text, type }
  const json = 'json' in body ? body.json : observation(body.observation)
  return { text: JSON.stringify(json), type }
}

function checkAnswer(answer: Answer, expected: Expectation, where: string): void {
  const { status, headers, text } = answer
  if (expected.status !== undefined)
    assert.ok([expected.status].flat().includes(status), `expected ${expected.status}: ${where}`)
  for (const [name, pattern] of Object.entries(expected.headersMatch ?? {}))
    assert.match(headers.get(name) ?? '', new RegExp(pattern), where)
  for (const name of expected.lacksHeaders ?? []) assert.equal(headers.get(name), null, where)
  if (expected.empty === true) assert.equal(text, '', where)
  if (expected.text !== undefined) assert.match(text, new RegExp(expected.text), where)
  if (expected.textLacks !== undefined)
    assert.doesNotMatch(text, new RegExp(expected.textLacks), where)
  if (expected.has !== undefined) assert.partialDeepStrictEqual(JSON.parse(text), expected.has)
  if (expected.reason !== undefined) assert.equal(reasonOf(text), expected.reason, where)
  const bundle = status === 200 && text.startsWith('{') ? (JSON.parse(text) as Bundle) : undefined
  if (expected.total !== undefined) assert.equal(bundle?.total, expected.total, where)
  if (expected.entries !== undefined)
    assert.equal(bundle?.entry?.length ?? 0, expected.entries, where)
  if (expected.hasNext !== undefined)
    assert.equal(linkOf(bundle, 'next') !== undefined, expected.hasNext, where)
  if (expected.statuses !== undefined)
    assert.deepEqual(
      (bundle?.entry ?? []).map(({ response }) => Number(response?.status?.slice(0, 3))),
      expected.statuses,
      where,
    )
  if (expected.selfLacks !== undefined)
    assert.ok(!linkOf(bundle, 'self')?.includes(expected.selfLacks), where)
  if (expected.versions !== undefined)
    assert.deepEqual((bundle?.entry ?? []).map(versionOf), expected.versions, where)
  if (expected.matchesWithin !== undefined)
    for (const entry of bundle?.entry ?? [])
      assert.ok(expected.matchesWithin.includes(entry.resource!.id), where)
}

function reasonOf(text: string): unknown {
  const outcome = JSON.parse(text) as { issue?: { details?: { coding?: { code: string }[] } }[] }
  return outcome.issue?.[0]?.details?.coding?.[0]?.code
}

/** `O9/2`; a deletion has no resource, but its address and its ETag. */
function versionOf({ resource, request, response, fullUrl }: Entry): string {
  const id = resource?.id ?? (fullUrl ?? request?.url ?? '').split('/').at(-1)
  const version = resource?.meta?.versionId ?? /\d+/.exec(response?.etag ?? '')?.[0]
  return `${id}/${version}`
}

async function checkPages(
  harness: Harness,
  first: Answer,
  expected: Expectation,
  authorization: string | undefined,
  where: string,
): Promise<void> {
  const entries: Entry[] = []
  let page = JSON.parse(first.text) as Bundle
  for (let pages = 1; ; pages++) {
    entries.push(...(page.entry ?? []))
    const next = linkOf(page, 'next')
    if (next === undefined) break
    assert.ok(pages < MAX_PAGES, `more than ${MAX_PAGES} pages: ${where}`)
    const answer = await send(
      new URL(next, `${harness.baseUrl}/`),
      { request: 'GET next', expect: {} },
      authorization,
    )
    assert.equal(answer.status, 200, where)
    page = JSON.parse(answer.text) as Bundle
    if (expected.total !== undefined && page.total !== undefined)
      assert.equal(page.total, expected.total, where)
  }
  const matches = entries
    .filter(({ search }) => search?.mode === 'match')
    .map(({ resource }) => resource!.id)
  const includes = entries
    .filter(({ search }) => search?.mode === 'include')
    .map(({ resource }) => `${resource!.resourceType}/${resource!.id}`)
  assert.equal(
    matches.length + includes.length,
    entries.length,
    `every entry is a match or an include: ${where}`,
  )
  if (expected.matches !== undefined)
    assert.deepEqual(
      expected.ordered === true ? matches : [...matches].sort(),
      expected.ordered === true ? expected.matches : [...expected.matches].sort(),
      where,
    )
  if (expected.includes !== undefined)
    assert.deepEqual([...new Set(includes)].sort(), [...expected.includes].sort(), where)
  if (expected.includesWithin !== undefined)
    for (const each of includes)
      assert.ok(expected.includesWithin.includes(each), `${each}: ${where}`)
}

function linkOf(bundle: Bundle | undefined, relation: string): string | undefined {
  return bundle?.link?.find((link) => link.relation === relation)?.url
}

/** Ids, correlation ids and times are all that may differ between answers of one kind. */
function checkIdentical(
  row: Row,
  seen: readonly { readonly step: Step; readonly answer: Answer }[],
): void {
  const forms = seen.map(({ step, answer }) => {
    const id = step.request.split(/[/?]/).at(-1)!
    const correlationIds = [...answer.headers]
      .filter(([name]) => /correlation|request-id/.test(name))
      .map(([, value]) => value)
    const text = correlationIds.reduce((rest, each) => rest.replaceAll(each, '…'), answer.text)
    const names = [...answer.headers.keys()].sort()
    return {
      status: answer.status,
      names,
      text: text.replaceAll(new RegExp(`\\b${id}\\b`, 'g'), 'ID'),
    }
  })
  for (const form of forms) assert.deepEqual(form, forms[0], `${row.id}: answers differ`)
}
