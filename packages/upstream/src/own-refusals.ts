import { TOO_LARGE } from './request-body.ts'
import type { UpstreamFailure } from './upstream-failure.ts'

export const TOO_SLOW = new Error('the body comes too slowly, and others wait')
export const NO_PLACE = new Error('too many wait')

/** What a request is refused for by us; the upstream has no part in it. */
export const OWN_REFUSALS: ReadonlyMap<Error, UpstreamFailure> = new Map([
  [TOO_LARGE, { kind: 'request-too-large', code: 'too large' }],
  [TOO_SLOW, { kind: 'request-too-slow', code: 'too slow' }],
  [NO_PLACE, { kind: 'busy', code: 'busy' }],
])
