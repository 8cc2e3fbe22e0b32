import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseForeignLaunch } from './foreign-launch.ts'

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')

test('an object of launch context members is read, and of it ids only', () => {
  const launch = encode({ patient: 'p1', encounter: 'e1', need_patient_banner: true, intent: 'x' })
  assert.deepEqual(parseForeignLaunch(launch), {
    patient: 'p1',
    encounter: 'e1',
    need_patient_banner: true,
  })
  assert.deepEqual(parseForeignLaunch(encode({ patient: '../p1', encounter: 5 })), {})
})

test('the array of the public launcher is read', () => {
  assert.deepEqual(parseForeignLaunch(encode([0, 'p1', 'practitioner', 'AUTO', 1])), {
    patient: 'p1',
  })
  assert.deepEqual(parseForeignLaunch(encode([0, 'p1', '', 'e1'])), {
    patient: 'p1',
    encounter: 'e1',
  })
})

test('law: whatever comes is read as nothing, or as ids', () => {
  const anything = fc.oneof(
    fc.string(),
    fc.json().map((text) => Buffer.from(text).toString('base64url')),
  )
  fc.assert(
    fc.property(anything, (launch) => {
      const { patient, encounter } = parseForeignLaunch(launch) ?? {}
      for (const id of [patient, encounter]) {
        if (id !== undefined) assert.match(id, /^[A-Za-z0-9.-]{1,64}$/)
      }
    }),
  )
})
