import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseFhirPath } from './fhirpath.ts'

const name = (word: string) => ({ kind: 'name', name: word })
const member = (of: object, word: string) => ({ kind: 'member', of, name: word })

test('reads the forms that R4 search parameters use', () => {
  assert.deepEqual(parseFhirPath('A.b.c'), member(member(name('A'), 'b'), 'c'))
  assert.deepEqual(
    parseFhirPath('A.b[0].c'),
    member({ kind: 'index', of: member(name('A'), 'b'), index: 0 }, 'c'),
  )
  assert.deepEqual(parseFhirPath("A.where(b='x')"), {
    kind: 'call',
    of: name('A'),
    name: 'where',
    args: [{ kind: 'binary', op: '=', left: name('b'), right: { kind: 'literal', value: 'x' } }],
  })
  assert.deepEqual(parseFhirPath('A.where(resolve() is B)'), {
    kind: 'call',
    of: name('A'),
    name: 'where',
    args: [
      { kind: 'is', of: { kind: 'call', of: undefined, name: 'resolve', args: [] }, type: 'B' },
    ],
  })
})

test('`as` in its three spellings is one thing', () => {
  const expected = { kind: 'as', of: member(name('A'), 'b'), type: 'C' }
  for (const text of ['A.b as C', '(A.b as C)', 'A.b.as(C)', 'A.b.ofType(C)'])
    assert.deepEqual(parseFhirPath(text), expected)
})

test('operators bind as FHIRPath says', () => {
  const deceased = parseFhirPath('P.d.exists() and P.d != false')
  assert.equal(deceased.kind === 'binary' && deceased.op, 'and')
  const union = parseFhirPath('A.b as C | A.d')
  assert.equal(union.kind === 'binary' && union.op, '|')
})

test('refuses what is outside the subset', () => {
  for (const text of ['', 'A.', 'A.b +', 'A b', "A.where(b='x'", 'A.b > 1', '$this'])
    assert.throws(() => parseFhirPath(text), SyntaxError)
})
