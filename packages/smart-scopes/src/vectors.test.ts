import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { findReason } from '@scopegate/checks'
import {
  type AccessPolicy,
  type AccessRequest,
  compileAccess,
  DEFAULT_POLICY,
  decide,
  describePredicate,
  formatScope,
  type GrantedToken,
  meet,
  parseScope,
  parseScopes,
} from '@scopegate/smart-scopes'

describe('scope-valid.txt', () => {
  for (const [text = '', canonical = text] of lines('scope-valid.txt'))
    test(`understands ${text}`, () => {
      const parsed = parseScope(text)
      assert.ok(parsed.ok, parsed.ok ? '' : parsed.problem.message)
      assert.equal(formatScope(parsed.scope), canonical)
      assert.deepEqual(parseScope(canonical), parsed)
    })
})

describe('scope-invalid.txt', () => {
  for (const [text = '', reason] of lines('scope-invalid.txt'))
    test(`refuses ${text}`, () => {
      const parsed = parseScope(text)
      assert.ok(!parsed.ok)
      assert.equal(parsed.problem.reason, reason)
      assert.ok(parsed.problem.message.length > 0 && parsed.problem.fix.length > 0)
    })
})

interface MeetCase {
  name: string
  requested: string
  allowed: string
  granted: string
}

describe('meet.json', () => {
  for (const { name, requested, allowed, granted } of json<MeetCase[]>('meet.json'))
    test(name, () => {
      const met = meet(parseScopes(requested).scopes, parseScopes(allowed).scopes)
      assert.equal(met.granted.map(formatScope).join(' '), granted)
    })
})

interface DecisionCase {
  name: string
  token: Partial<GrantedToken> & { scope: string }
  policy?: Partial<AccessPolicy>
  request: AccessRequest
  code?: string
  needed?: string
  where?: string
  joined?: string[][]
}

describe('decisions.json', () => {
  for (const each of json<DecisionCase[]>('decisions.json'))
    test(each.name, () => {
      const token = { issuer: 'https://idp.example', subject: 's', clientId: 'c', ...each.token }
      const compiled = compileAccess(token, { ...DEFAULT_POLICY, ...each.policy })
      const decision = decide(compiled, each.request)
      const failure = decision.checks.find(({ outcome }) => outcome === 'fail')
      if (decision.allowed) {
        assert.equal(failure, undefined)
        assert.equal(each.code, undefined)
        assert.equal(describePredicate(decision.predicate), each.where)
        if (each.joined !== undefined)
          assert.deepEqual(
            decision.joins.map(({ grantedTypes }) => grantedTypes),
            each.joined,
          )
      } else {
        assert.equal(failure?.code, each.code)
        assert.equal(decision.needed, each.needed)
        assert.equal(findReason(failure?.code)?.status, 403)
        assert.equal(findReason(failure?.code)?.audience, 'caller')
      }
    })
})

function read(name: string): string {
  return readFileSync(new URL(`../vectors/${name}`, import.meta.url), 'utf8')
}
function lines(name: string): string[][] {
  return read(name)
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => line.split('\t'))
}
function json<T>(name: string): T {
  return JSON.parse(read(name)) as T
}
