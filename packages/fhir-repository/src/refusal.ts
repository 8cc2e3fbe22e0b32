import { type Check, failed } from '@scopegate/checks'
import {
  type Absent,
  type Access,
  allowedFor,
  type FhirResource,
  type Letter,
  type ResourceKey,
  type SubmittedBody,
  type WriteAnswer,
} from '@scopegate/fhir-model'
import { explainHidden, explainRefusedBody } from '@scopegate/smart-scopes'
import { visibleFor } from './request.ts'
import { contentOf, type StoredRow } from './stored-row.ts'

/** Not there, as far as the caller may know; the checks tell the operator what the caller is not told. */
export function absent(why: 'never' | 'version' | 'deleted', { type }: ResourceKey): Absent {
  const code = why === 'version' ? 'version_hidden' : 'instance_absent'
  return { kind: 'absent', checks: [failed(code, { got: type })] }
}

/** There, and outside what `letter` permits. To the caller it looks like `absent`. */
export function hidden(access: Access, letter: Letter | 'visible', row: StoredRow): Absent {
  const predicate =
    letter === 'visible' ? visibleFor(access, row.type) : allowedFor(access, letter, row.type)
  const check: Check =
    row.body === ''
      ? failed('constraint_mismatch', { got: row.type })
      : explainHidden(predicate, contentOf(row))
  return { kind: 'absent', checks: [check] }
}

/** The caller sees the instance and may not write it. */
export function storedNotWritable(letter: 'u' | 'd', type: string): WriteAnswer {
  return {
    kind: 'refused',
    checks: [
      {
        name: 'constraint',
        outcome: 'fail',
        code: 'stored_not_writable',
        expected: `${letter} on the stored ${type}`,
      },
    ],
  }
}

/** The caller's own body is outside what the letter permits: it may be told why. */
export function bodyRefused(
  access: Access,
  letter: 'c' | 'u',
  body: FhirResource,
  submitted: SubmittedBody,
): WriteAnswer {
  const predicate = allowedFor(access, letter, body.resourceType)
  return { kind: 'refused', checks: [explainRefusedBody(predicate, body, submitted)] }
}

/** The caller's own body names a Binary that the caller cannot see, or that is not there. */
export function attachmentRefused(type: string): WriteAnswer {
  return {
    kind: 'refused',
    checks: [
      {
        name: 'constraint',
        outcome: 'fail',
        code: 'body_outside_constraint',
        expected: `a ${type} whose attachments name only Binaries that the token can see`,
        fix: 'send the content inline, or create the Binary with a `securityContext` first',
      },
    ],
  }
}

/** The caller's own body refers to a shared resource that the caller cannot see, or that is not there. */
export function referenceRefused(type: string, target: string): WriteAnswer {
  return {
    kind: 'refused',
    checks: [
      {
        name: 'constraint',
        outcome: 'fail',
        code: 'body_outside_constraint',
        expected: `a ${type} that refers only to a ${target} that the token can see`,
        fix: `refer to the ${target} by \`identifier\` or \`display\``,
      },
    ],
  }
}
