import assert from 'node:assert/strict'
import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import { describe, test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { checkRequestTarget } from '@scopegate/http'
import fc from 'fast-check'
import { allowPaths, findPathPatternProblem } from './allowed-paths.ts'
import { diagnosisHeader } from './diagnose.ts'
import type { OutboundCall } from './outbound-call.ts'
import { createOutboundStreams } from './outbound-streams.ts'

describe('allowed paths', () => {
  for (const [pattern, allowed, refused] of [
    ['/metadata', ['/metadata'], ['/', '/metadata/', '/metadata/x', '/Metadata', '/metadatax']],
    [
      '/Patient/*',
      ['/Patient', '/Patient/', '/Patient/1', '/Patient/1/_history/2'],
      ['/', '/Patients', '/x/Patient/1', '/patient/1'],
    ],
    [
      '/Group/{id}/$export',
      ['/Group/7/$export'],
      ['/Group//$export', '/Group/7', '/Group/7/8/$export'],
    ],
    ['/*', ['/', '/x', '/x/y'], []],
    ['/', ['/'], ['/x', '//']],
  ] as const) {
    test(`${pattern} allows ${allowed.join(', ')} and nothing beside`, () => {
      const paths = allowPaths([pattern])
      for (const path of allowed) assert.ok(paths.allows(path), path)
      for (const path of refused) assert.ok(!paths.allows(path), path)
      assert.equal(findPathPatternProblem(pattern), undefined)
    })
  }

  test('without any pattern all are allowed', () => {
    assert.ok(allowPaths([]).allows('/anything/at/all'))
  })

  test('of two lists allow what either allows', () => {
    const pattern = fc.constantFrom('/a', '/a/*', '/b/{x}', '/b/{x}/c', '/*')
    const path = fc
      .array(fc.constantFrom('a', 'b', 'c', 'd'), { minLength: 1, maxLength: 4 })
      .map((segments) => `/${segments.join('/')}`)
    fc.assert(
      fc.property(fc.array(pattern, { minLength: 1 }), pattern, path, (some, one, at) => {
        const both = allowPaths([...some, one]).allows(at)
        assert.equal(both, allowPaths(some).allows(at) || allowPaths([one]).allows(at))
      }),
    )
  })

  test('what a pattern of one folder allows stays in it, however a target is written', () => {
    const paths = allowPaths(['/Patient/*'])
    const piece = fc.constantFrom(
      ...['Patient', 'admin', '..', '.', '%2e%2e', '%2f', '/', '\\', '%5c', ';', '%00', '//', 'é'],
      ...['%252e', '#', '?', '%', 'http://evil', '@'],
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
        const checked = checkRequestTarget(`/Patient/${pieces.join('')}`)
        if (!checked.ok) return
        const path = checked.originForm.split('?')[0]!
        if (!paths.allows(path)) return
        // A URL parser resolves what an upstream might.
        const resolved = new URL(path, 'http://upstream').pathname
        assert.ok(resolved === '/Patient' || resolved.startsWith('/Patient/'), resolved)
      }),
      { numRuns: 2000 },
    )
  })
})

test('a diagnosis is one header of visible ASCII, whatever a provider says', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (said) => {
      const header = diagnosisHeader({
        ...{ code: 'no_token', reason: 'x', cause: said, fix: said },
      })
      assert.match(header, /^no_token; reason=x; cause="[\x20-\x7e]*"; fix="[\x20-\x7e]*"$/)
      const [, cause = ''] = /cause="((?:[^"\\]|\\["\\])*)"; fix=/.exec(header) ?? []
      assert.ok(!/\\(?!["\\])/.test(cause.replaceAll(/\\["\\]/g, '')))
    }),
  )
})

test('a stream of events ends when its caller has no right to it any more', async () => {
  let isPermitted = true
  const streams = createOutboundStreams({
    isStillPermitted: async () => isPermitted,
    nowMs: Date.now,
    onError: undefined,
    recheckMs: 5,
  })
  const request = new IncomingMessage(new Socket())
  const response = new ServerResponse(request)
  const caller = { clientId: 'app-lab', issuer: 'https://gate.example', expiresAt: 2 ** 32 }
  streams.add({ request, caller, correlationId: 'x' } as unknown as OutboundCall, response)
  await setTimeout(50)
  assert.equal(response.destroyed, false)
  isPermitted = false
  while (!response.destroyed) await setTimeout(5)
  streams.close()
})
