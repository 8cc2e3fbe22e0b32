import { createCheckList } from '@scopegate/checks'
import {
  parseSearch,
  type SearchAnswer,
  type SearchQuery,
  type StoredVersion,
} from '@scopegate/fhir-model'
import { type FormPair, parseForm, parseMediaType } from '@scopegate/http'
import { bodyFault } from './body-fault.ts'
import { searchSet, searchUrl } from './bundle.ts'
import { decideSearch } from './decide-search.ts'
import { FORMAT_PARAMETERS, negotiate } from './negotiate.ts'
import { refuse } from './refuse.ts'
import { faultReply, type Reply } from './reply.ts'
import { restrictSearch } from './restrict.ts'
import type { Step } from './step.ts'
import { subset } from './subset.ts'

/** The parameter that carries a page link. */
export const CURSOR_PARAMETER = '_cursor'

export type PreparedSearch =
  | { readonly ok: true; readonly query: SearchQuery }
  | { readonly ok: false; readonly reply: Reply }

/**
 * `GET [type]?…` and `POST [type]/_search`; parameters of the URL and of the form count together.
 * @see https://hl7.org/fhir/R4/http.html#search
 */
export async function search(
  step: Step,
  target: { readonly type: string; readonly form: boolean },
): Promise<Reply> {
  const form = target.form ? await readForm(step) : ([] as const)
  if (!Array.isArray(form)) return form as Reply
  const pairs = [...step.call.query, ...form]
  if (form.some(([name]) => FORMAT_PARAMETERS.has(name))) {
    const negotiated = negotiate({ ...step.call, query: pairs })
    if (!negotiated.ok) {
      const { status, why, fix } = negotiated
      return faultReply(step.call, status, { code: 'not-supported', text: why, fix })
    }
  }
  const prepared = prepareSearch(step, target.type, pairs)
  if (!prepared.ok) return prepared.reply
  const { query } = prepared
  const answer = await step.endpoint.backend.search(query, step.caller.access)
  return searchReply(step, query, restrictSearch(step, query, answer))
}

/** Parses, then asks whether the caller may; the joins that it may not follow are gone. */
export function prepareSearch(
  step: Step,
  type: string,
  pairs: readonly FormPair[],
): PreparedSearch {
  const { call, endpoint, wishes } = step
  const cursorText = pairs.find(([name]) => name === CURSOR_PARAMETER)?.[1]
  if (cursorText !== undefined) return resume(step, type, pairs, cursorText)

  const parsed = parseSearch(type, pairs, {
    strict: wishes.handling === 'strict',
    defaultCount: endpoint.settings.defaultCount,
    maxCount: endpoint.settings.maxCount,
    baseUrl: endpoint.baseUrl,
    nowMs: call.startedAtMs,
  })
  return decideSearch(step, type, parsed)
}

/** The page that a link of ours leads to: the same search, re-judged, from where it ended. */
function resume(
  step: Step,
  type: string,
  pairs: readonly FormPair[],
  cursorText: string,
): PreparedSearch {
  const { call, caller, endpoint } = step
  const badLink = (text: string): PreparedSearch => ({
    ok: false,
    reply: faultReply(call, 400, {
      code: 'value',
      text,
      fix: 'follow `next` links unchanged, or start the search again',
    }),
  })
  const others = pairs.filter(([name]) => name !== CURSOR_PARAMETER && !FORMAT_PARAMETERS.has(name))
  if (others.length > 0 || pairs.filter(([name]) => name === CURSOR_PARAMETER).length > 1) {
    return badLink('a page link takes no further parameters')
  }
  const cursor = endpoint.cursors.open(cursorText)
  if (cursor === undefined || cursor.kind !== 'search' || cursor.type !== type) {
    return badLink('this page link was not made here, or was changed')
  }
  if (cursor.accessFingerprint !== caller.access.fingerprint) {
    const checks = createCheckList(caller.checks).fail('cursor_of_other_grant').complete()
    return { ok: false, reply: refuse(step, checks) }
  }
  if (cursor.expiresAt * 1000 < call.startedAtMs) return badLink('this page link has expired')
  const prepared = prepareSearch(step, type, cursor.used)
  return prepared.ok ? { ok: true, query: { ...prepared.query, after: cursor.after } } : prepared
}

/** The Bundle of one page. */
export function searchReply(step: Step, query: SearchQuery, answer: SearchAnswer): Reply {
  const { call, caller, endpoint } = step
  const { baseUrl, cursors, settings } = endpoint
  const links = [{ relation: 'self' as const, url: searchUrl(baseUrl, query.type, query.used) }]
  const next =
    answer.next === undefined
      ? []
      : [
          {
            relation: 'next' as const,
            url: searchUrl(baseUrl, query.type, [
              [
                CURSOR_PARAMETER,
                cursors.seal({
                  kind: 'search',
                  type: query.type,
                  used: query.used,
                  after: answer.next,
                  accessFingerprint: caller.access.fingerprint,
                  expiresAt: Math.floor(call.startedAtMs / 1000) + settings.cursorSeconds,
                }),
              ],
            ]),
          },
        ]
  const countOnly = query.summary === 'count' || query.count === 0
  const shape = (version: StoredVersion) => subset(version.type, version.body, query)
  return {
    status: 200,
    headers: {},
    body: searchSet(
      baseUrl,
      {
        ...(answer.total === undefined ? {} : { total: answer.total }),
        links: [...links, ...next],
        matches: countOnly ? [] : answer.matches,
        includes: countOnly ? [] : answer.includes,
      },
      shape,
    ),
    outcome: 'permitted',
    count: countOnly ? 0 : answer.matches.length + answer.includes.length,
  }
}

async function readForm(step: Step): Promise<readonly FormPair[] | Reply> {
  const { call, endpoint } = step
  const body = await call.body(Math.min(endpoint.settings.maxBodyBytes, 1024 * 1024))
  if (!body.ok) return bodyFault(call, body.problem)
  if (body.bytes === 0) return []
  const media = parseMediaType(call.header('content-type'))
  if (media?.type !== 'application/x-www-form-urlencoded') {
    return faultReply(call, 415, {
      code: 'not-supported',
      text: 'the body of a search is a form',
      fix: 'send Content-Type: application/x-www-form-urlencoded',
    })
  }
  const form = parseForm(body.text)
  if (form.ok) return form.pairs
  return faultReply(call, 400, {
    code: 'invalid',
    text: `the form cannot be read at \`${form.at.slice(0, 80)}\``,
    fix: 'percent-encode names and values as UTF-8',
  })
}
