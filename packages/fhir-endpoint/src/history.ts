import { failed } from '@scopegate/checks'
import { formatSearch, type HistoryQuery, searchDateRange } from '@scopegate/fhir-model'
import type { FormPair } from '@scopegate/http'
import { historySet } from './bundle.ts'
import type { Cursor } from './cursor.ts'
import { FORMAT_PARAMETERS } from './negotiate.ts'
import { refuse } from './refuse.ts'
import { absentReply, faultReply, type Reply } from './reply.ts'
import { CURSOR_PARAMETER } from './search.ts'
import type { Step } from './step.ts'

interface Target {
  readonly type: string
  readonly id: string
}

type ReadQuery =
  | { readonly ok: true; readonly query: HistoryQuery; readonly used: readonly FormPair[] }
  | { readonly ok: false; readonly reply: Reply }

/** `GET [type]/[id]/_history`. @see https://hl7.org/fhir/R4/http.html#history */
export async function history(step: Step, target: Target): Promise<Reply> {
  const { call, caller, endpoint } = step
  const key = { type: target.type, id: target.id }
  const read = resume(step, target) ?? readQuery(step, call.query)
  if (!read.ok) return read.reply
  const answer = await endpoint.backend.history(key, read.query, caller.access)
  if (answer.kind === 'absent') return absentReply(call, answer.checks)

  const address = `${endpoint.baseUrl}/${key.type}/${key.id}/_history`
  const link = (pairs: readonly FormPair[]) =>
    pairs.length === 0 ? address : `${address}?${formatSearch(pairs)}`
  const next =
    answer.next === undefined
      ? []
      : [
          {
            relation: 'next' as const,
            url: link([
              [
                CURSOR_PARAMETER,
                endpoint.cursors.seal({
                  kind: 'history',
                  ...key,
                  used: read.used,
                  after: answer.next,
                  accessFingerprint: caller.access.fingerprint,
                  expiresAt: Math.floor(call.startedAtMs / 1000) + endpoint.settings.cursorSeconds,
                }),
              ],
            ]),
          },
        ]
  return {
    status: 200,
    headers: {},
    body: historySet(endpoint.baseUrl, {
      total: answer.total,
      links: [{ relation: 'self', url: link(read.used) }, ...next],
      versions: answer.versions,
    }),
    outcome: 'permitted',
    count: answer.versions.filter(({ deleted }) => !deleted).length,
  }
}

function readQuery(step: Step, pairs: readonly FormPair[]): ReadQuery {
  const { settings } = step.endpoint
  const used: FormPair[] = []
  let count = settings.defaultCount
  let sinceMs: number | undefined
  let atMs: number | undefined
  const bad = (name: string, text: string, fix: string): ReadQuery => ({
    ok: false,
    reply: faultReply(step.call, 400, { code: 'value', text: `\`${name}\`: ${text}`, fix }),
  })
  const seen = new Set<string>()
  for (const [name, value] of pairs) {
    if (FORMAT_PARAMETERS.has(name)) {
      used.push([name, value])
      continue
    }
    const known = name === '_count' || name === '_since' || name === '_at'
    if (!known) {
      if (step.wishes.handling !== 'strict') continue
      return bad(name.slice(0, 64), 'a history has no such parameter', 'use _count, _since, _at')
    }
    if (seen.has(name)) return bad(name, 'it is given more than once', 'give it once')
    seen.add(name)
    used.push([name, value])
    if (name === '_count') {
      if (!/^\d{1,9}$/.test(value))
        return bad(name, 'it is not a page size', 'write a whole number')
      count = Math.min(Number(value), settings.maxCount)
    } else {
      const range = searchDateRange(value)
      if (range === undefined) {
        return bad(name, 'it is not an instant', 'write it as in 2026-01-31T12:00:00Z')
      }
      if (name === '_since') sinceMs = range.fromMs
      else atMs = range.toMs - 1
    }
  }
  return {
    ok: true,
    used,
    query: {
      count,
      ...(sinceMs === undefined ? {} : { sinceMs }),
      ...(atMs === undefined ? {} : { atMs }),
    },
  }
}

/** The page that a link of ours leads to; `undefined` when there is none in the address. */
function resume(step: Step, target: Target): ReadQuery | undefined {
  const { call, caller, endpoint } = step
  const text = call.query.find(([name]) => name === CURSOR_PARAMETER)?.[1]
  if (text === undefined) return undefined
  const cursor: Cursor | undefined = endpoint.cursors.open(text)
  const fits = cursor?.kind === 'history' && cursor.type === target.type && cursor.id === target.id
  if (!fits || cursor.expiresAt * 1000 < call.startedAtMs) {
    return {
      ok: false,
      reply: faultReply(call, 400, {
        code: 'value',
        text: fits ? 'this page link has expired' : 'this page link was not made for this history',
        fix: 'follow `next` links unchanged, or start again',
      }),
    }
  }
  if (cursor.accessFingerprint !== caller.access.fingerprint) {
    return { ok: false, reply: refuse(step, [failed('cursor_of_other_grant')]) }
  }
  const read = readQuery(step, cursor.used)
  return read.ok ? { ...read, query: { ...read.query, after: cursor.after } } : read
}
