import { type CallerDetail, createCheckList } from '@scopegate/checks'
import { SearchRefused } from '@scopegate/fhir-model'
import { type StorageProblem, storageProblem, storageStatus } from '@scopegate/storage'
import { KeysUnavailable } from '@scopegate/token-verify'
import type { Call } from './call.ts'
import { faultReply, type Reply, refusedReply } from './reply.ts'

const UNREACHABLE = { text: 'the data cannot be reached at the moment', fix: 'try again' }

const TEXTS: Readonly<Partial<Record<StorageProblem, { text: string; fix: string }>>> = {
  timeout: { text: 'the request took longer than allowed', fix: 'narrow it' },
  'read-only': {
    text: 'nothing can be written at the moment: the disk of the server is nearly full, or its database takes no writes; reading goes on',
    fix: 'try again once the operator has made room',
  },
}

/**
 * The answer to what was thrown: the reason of a backend that refuses a search, 503 or 507 when
 * keys or storage have a problem, else 500. Never a detail of the error.
 */
export function thrownReply(
  call: Call,
  error: unknown,
  realm: string,
  callers?: CallerDetail,
): Reply {
  if (error instanceof SearchRefused) {
    // Whoever asks: it says nothing about permissions, so it is no 403.
    return faultReply(call, 400, { code: error.reason, text: error.message, fix: error.fix })
  }
  if (error instanceof KeysUnavailable) {
    const checks = createCheckList().fail(error.code).complete()
    return refusedReply(call, checks, { realm, callers })
  }
  const problem = storageProblem(error)
  if (problem === undefined) {
    return faultReply(call, 500, {
      code: 'exception',
      text: 'the server made a mistake',
      fix: 'tell the operator the correlation id',
    })
  }
  if (problem === 'disk-full') {
    return faultReply(call, 507, {
      code: 'no-store',
      text: 'nothing can be written: the disk of the server is full; reading goes on',
      fix: 'try again once the operator has made room',
    })
  }
  return faultReply(
    call,
    storageStatus(problem),
    { code: 'transient', ...(TEXTS[problem] ?? UNREACHABLE) },
    { 'Retry-After': '5' },
  )
}
