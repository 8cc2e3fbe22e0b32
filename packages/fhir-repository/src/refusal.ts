import type { Check } from '@scopegate/checks'
import type { Absent, ResourceKey, WriteAnswer } from '@scopegate/fhir-model'

/** What an instance that was never there and a hidden one have in common; the trace tells them apart. */
export function absent(why: 'never' | 'hidden' | 'version' | 'deleted', key: ResourceKey): Absent {
  const check = (code: string, name: Check['name']): Check => ({
    name,
    outcome: 'fail',
    code,
    got: key.type,
  })
  switch (why) {
    case 'hidden':
      return { kind: 'absent', checks: [check('constraint_mismatch', 'constraint')] }
    case 'version':
      return { kind: 'absent', checks: [check('version_hidden', 'compartment')] }
    default:
      return { kind: 'absent', checks: [check('instance_absent', 'compartment')] }
  }
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

/** The caller's own body is outside what the letter permits. */
export function bodyRefused(letter: 'c' | 'u', type: string): WriteAnswer {
  return {
    kind: 'refused',
    checks: [
      {
        name: 'constraint',
        outcome: 'fail',
        code: 'body_outside_constraint',
        expected: `a ${type} that the scopes permit under ${letter}`,
      },
    ],
  }
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
