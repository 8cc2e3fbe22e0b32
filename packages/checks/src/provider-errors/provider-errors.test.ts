import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  findProviderError,
  PROVIDER_ERROR_CHAPTERS,
  PROVIDER_ERRORS,
  type ProviderErrorRow,
  type ProviderSignal,
  renderProviderErrorsMarkdown,
  secretFacts,
} from '@scopegate/checks'
import fc from 'fast-check'
import { fillWords } from './fill-words.ts'

const rows = Object.entries<ProviderErrorRow>(PROVIDER_ERRORS)
const wrongSecret: ProviderSignal = {
  preset: 'entra',
  status: 401,
  error: 'invalid_client',
  codes: [7000215],
  clientId: 'lab-reader',
}

describe('the catalogue of provider errors', () => {
  for (const [code, row] of rows) {
    for (const [index, example] of row.examples.entries()) {
      test(`${code} is found by what is seen of it (${index + 1})`, () => {
        assert.equal(findProviderError(example).code, code)
      })
    }
  }
})

describe('the words of an explanation', () => {
  test('a GUID in place of a secret is told apart from a wrong secret', () => {
    const plain = findProviderError({ ...wrongSecret, secret: secretFacts('v~8Q', 'env:LAB') })
    assert.match(
      plain.cause,
      /the client secret from `env:LAB` \(4 characters\) for app `lab-reader`/,
    )
    const guid = secretFacts('1c8b41b6-0a2f-4c1c-9d1b-0f5a3f6f7c11')
    const pasted = findProviderError({ ...wrongSecret, secret: guid })
    assert.equal(pasted.code, plain.code)
    assert.match(pasted.cause, /\*Secret ID\* was pasted/)
    assert.match(pasted.fix, /\*Value\*/)
  })

  test('what is wrong with the shape of a secret is said, wherever it is refused', () => {
    const said = (secret: string, signal: ProviderSignal) =>
      findProviderError({ ...signal, secret: secretFacts(secret) }).cause
    const keycloak = {
      status: 401,
      error: 'unauthorized_client',
      description: 'Invalid client or Invalid client credentials',
    }
    for (const signal of [wrongSecret, keycloak, { status: 401, error: 'invalid_client' }]) {
      assert.match(said('s3cret\n', signal), /white space/)
      assert.match(said('"s3cret"', signal), /quotes/)
      assert.match(said('\uFEFFs3cret', signal), /byte order mark/)
      assert.match(said('<LAB_SECRET>', signal), /placeholder/)
      assert.match(said('', signal), /empty/)
    }
  })

  test('a clock that is off turns a refused assertion into a matter of clocks', () => {
    const late = { preset: 'entra', error: 'invalid_client', codes: [700024] }
    assert.equal(findProviderError(late).kind, 'configuration')
    const { kind, cause } = findProviderError({ ...late, clockSkewSeconds: -312.4 })
    assert.equal(kind, 'clock')
    assert.match(cause, /the clock here is 312 s ahead of the provider's/)
  })

  test('numbers of Entra are found in the text where there is no list of them', () => {
    const description = 'AADSTS7000222: The provided client secret keys are expired.'
    const found = findProviderError({ error: 'invalid_client', description })
    assert.equal(found.code, 'entra_secret_expired')
  })

  test('Epic says nothing, others are not taken for Epic', () => {
    const silent = { status: 400, error: 'invalid_client' }
    assert.equal(findProviderError({ ...silent, preset: 'epic' }).code, 'epic_invalid_client')
    assert.equal(findProviderError(silent).code, 'oauth_invalid_client')
  })

  test('a refusal of a resource is never told as one of the token endpoint', () => {
    for (const error of ['invalid_client', 'invalid_request', undefined]) {
      const { code } = findProviderError({
        stage: 'resource',
        status: 401,
        ...(error === undefined ? {} : { error }),
      })
      assert.equal(code, 'resource_token_refused')
    }
  })
})

describe('laws of the catalogue', () => {
  const text = fc.oneof(
    fc.string({ unit: 'grapheme' }),
    fc.constantFrom('invalid_client', '{secret}'),
  )
  const signal = fc.record(
    {
      preset: text,
      status: fc.nat(999),
      error: text,
      description: text,
      errorUri: text,
      nodeCode: text,
      clientId: text,
      codes: fc.array(fc.nat()),
    },
    { requiredKeys: [], noNullPrototype: true },
  )

  test('every signal has an answer whose texts are filled', () => {
    fc.assert(
      fc.property(signal, (each) => {
        const { code, cause, fix } = findProviderError(each)
        assert.ok(Object.hasOwn(PROVIDER_ERRORS, code))
        assert.ok(cause.length > 0 && fix.length > 0)
      }),
    )
  })

  test('no text names a word that cannot be filled', () => {
    for (const [code, row] of rows) {
      const texts = [row, ...(row.refine ?? [])].flatMap(({ cause = '', fix = '' }) => [cause, fix])
      for (const each of texts) {
        assert.doesNotMatch(each, /\.$/, `${code}: one sentence, no period`)
        for (const [, word] of each.matchAll(/\{(\w+)\}/g)) {
          const filled = fillWords(`{${word}}`, {})
          assert.notEqual(filled, `{${word}}`, `${code}: {${word}}`)
        }
      }
    }
  })

  test('long and hostile texts of a provider are searched in no time that grows with them', () => {
    const description = `User '${'a'.repeat(2_000_000)}`
    assert.equal(findProviderError({ error: 'x', description }).code, 'unknown_provider_error')
  })

  test('words of a provider draw no lines and move no cursor', () => {
    const got = `https://idp.example/\n\u001b[2J\u2028\u202e${'x'.repeat(5_000)}`
    const { cause, fix } = findProviderError({ finding: 'issuer_mismatch', expected: got, got })
    assert.doesNotMatch(cause + fix, /[\p{Cc}\p{Cf}\u2028]/u)
    assert.ok(cause.length < 2_000)
  })

  test('what is said of a secret holds nothing of it', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 12 }), (secret) => {
        assert.ok(!JSON.stringify(secretFacts(secret)).includes(secret))
      }),
    )
  })

  test('every row is in one chapter, and in the documentation', () => {
    const codes = PROVIDER_ERROR_CHAPTERS.flatMap(([, chapter]) => Object.keys(chapter))
    assert.equal(new Set(codes).size, codes.length)
    assert.deepEqual(codes.sort(), Object.keys(PROVIDER_ERRORS).sort())
    const markdown = renderProviderErrorsMarkdown()
    for (const code of codes) assert.ok(markdown.includes(`### ${code}\n`), code)
  })
})
