import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type ClaimMapping, mapClaims } from '@scopegate/oidc-login'
import fc from 'fast-check'

const EMAIL = { verifiedClaim: 'email_verified', trusted: false }
const map = (mapping: ClaimMapping, claims: object, email = EMAIL) =>
  mapClaims(mapping, claims as Record<string, unknown>, email)

describe('the claims of a provider', () => {
  test('are named by name, by pointer or by template', () => {
    const claims = {
      employeeId: 'e-7',
      'https://example.org/fhirUser': 'Practitioner/9',
      resource: { scopegate: { id: '12' }, 'a/b': '34', 'm~n': '56' },
      number: 42,
    }
    for (const [source, expected] of [
      ['https://example.org/fhirUser', 'Practitioner/9'],
      ['Practitioner/{employeeId}', 'Practitioner/e-7'],
      ['Practitioner/{/resource/scopegate/id}', 'Practitioner/12'],
      ['Practitioner/{/resource/a~1b}', 'Practitioner/34'],
      ['Practitioner/{/resource/m~0n}', 'Practitioner/56'],
      ['Practitioner/{number}', 'Practitioner/42'],
      ['Practitioner/{employeeId}-{number}', 'Practitioner/e-7-42'],
      [
        'https://fhir.example/r4/Practitioner/{employeeId}',
        'https://fhir.example/r4/Practitioner/e-7',
      ],
    ] as const) {
      assert.equal(map({ fhirUser: source }, claims).claims.fhirUser, expected, source)
    }
  })

  test('that are no fhirUser make a user without one, and a remark that holds no value', () => {
    const source = 'Practitioner/{employeeId}'
    for (const value of [
      undefined,
      null,
      '',
      ' ',
      '1/../../Patient/2',
      '../Patient/2',
      '..',
      '1 2',
      '1\n',
      '1#x',
      '{employeeId}',
      'a'.repeat(65),
      1.5,
      true,
      ['1'],
      { toString: '1' },
    ]) {
      const { claims, remarks } = map({ fhirUser: source }, { employeeId: value })
      assert.equal(claims.fhirUser, undefined, JSON.stringify(value))
      assert.equal(remarks.length, 1)
      assert.match(remarks[0] ?? '', /^`fhirUser` is left out/)
      assert.ok(
        typeof value !== 'string' ||
          value.length < 3 ||
          !remarks[0]?.includes(value) ||
          value === '{employeeId}',
      )
    }
    for (const value of [
      'Practitioner',
      'Practitioner/',
      'Device/1',
      'practitioner/1',
      'Practitioner/1/_history/2',
      'Practitioner/..',
      'javascript:Practitioner/1',
      'https://evil.example?x=/Practitioner/1',
      'https://evil.example#/Practitioner/1',
      'Practitioner/1\nPatient/2',
    ]) {
      assert.equal(map({ fhirUser: 'f' }, { f: value }).claims.fhirUser, undefined, value)
    }
  })

  test('never mapped are never taken', () => {
    const claims = { fhirUser: 'Practitioner/1', roles: ['admin'], email: 'a@b.example', name: 'A' }
    const { claims: mapped, remarks } = map({}, claims)
    assert.deepEqual(mapped, { roles: [] })
    assert.deepEqual(remarks, [])
  })

  test('give roles as a list or a text, once each, translated or as they are', () => {
    const claims = {
      groups: ['g1', 'g2', 'g1', 7, '', 'x\ny'],
      role: 'nurse',
      many: Array(101).fill('r'),
    }
    assert.deepEqual(map({ roles: 'groups' }, claims).claims.roles, ['g1', 'g2'])
    assert.deepEqual(map({ roles: 'role' }, claims).claims.roles, ['nurse'])
    assert.deepEqual(map({ roles: 'many' }, claims).claims.roles, [])
    assert.deepEqual(map({ roles: 'absent' }, claims).claims.roles, [])
    const values = { g2: 'clinician', constructor: 'never' }
    assert.deepEqual(map({ roles: { from: 'groups', values } }, claims).claims.roles, ['clinician'])
    const odd = { groups: ['toString', '__proto__', 'hasOwnProperty'] }
    assert.deepEqual(map({ roles: { from: 'groups', values: {} } }, odd).claims.roles, [])
  })

  test('give an address only when the provider vouches for it', () => {
    const email = 'nora@clinic.example'
    const mapping = { email: 'email' }
    for (const verified of [true, 'true', 1, '1']) {
      assert.equal(map(mapping, { email, email_verified: verified }).claims.email, email)
    }
    for (const verified of [undefined, null, false, 'false', 0, 'yes', {}, [true]]) {
      assert.equal(map(mapping, { email, email_verified: verified }).claims.email, undefined)
    }
    const other = { upn: email, email_verified: true }
    assert.equal(map({ email: 'upn' }, other).claims.email, undefined, 'vouched for another claim')
    assert.equal(map({ email: 'upn' }, other, { ...EMAIL, trusted: true }).claims.email, email)
    for (const wrong of ['nora', 'nora@', '@x', 'a@b@c', 'a b@c', 'a@b\r\nBcc: x@y', '<a@b>']) {
      const { claims } = map(mapping, { email: wrong, email_verified: true })
      assert.equal(claims.email, undefined, wrong)
    }
  })

  test('law: whatever a provider says, a fhirUser has the form of one and text is one line', () => {
    const mapping = {
      fhirUser: 'Practitioner/{id}',
      name: '{first} {last}',
      username: '/deep/name',
      roles: 'roles',
      email: 'email',
    }
    const claims = fc.record(
      {
        id: fc.anything(),
        first: fc.oneof(fc.string({ unit: 'binary' }), fc.anything()),
        last: fc.string({ unit: 'binary' }),
        deep: fc.oneof(fc.anything(), fc.record({ name: fc.string({ unit: 'binary' }) })),
        roles: fc.oneof(fc.anything(), fc.array(fc.string({ unit: 'binary' }))),
        email: fc.oneof(fc.emailAddress(), fc.anything()),
        email_verified: fc.oneof(fc.boolean(), fc.anything()),
      },
      { requiredKeys: [], noNullPrototype: true },
    )
    fc.assert(
      fc.property(claims, (said) => {
        const { claims: mapped } = map(mapping, said)
        if (mapped.fhirUser !== undefined) {
          assert.match(mapped.fhirUser, /^Practitioner\/[A-Za-z0-9.-]{1,64}$/)
        }
        for (const line of [mapped.name, mapped.username, ...mapped.roles]) {
          assert.ok(line === undefined || (line.length > 0 && !/[\r\n\0]/.test(line)))
        }
        if (mapped.email !== undefined)
          assert.ok([true, 'true', 1, '1'].includes(said.email_verified as true))
      }),
    )
  })
})
