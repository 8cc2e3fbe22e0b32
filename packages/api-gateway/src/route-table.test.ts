import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type ApiRoute, createRouteTable } from '@scopegate/api-gateway'
import fc from 'fast-check'

const route = (path: string, methods: readonly string[] = [], name = ''): ApiRoute => ({
  path,
  methods,
  public: false,
  scopes: name === '' ? [] : [name],
  roles: [],
})

function found(routes: readonly ApiRoute[], method: string, path: string): string {
  const match = createRouteTable(routes).match(method, path)
  return match.kind === 'route' ? match.route.path : match.kind
}

describe('the rule of a request', () => {
  const routes = [
    route('/'),
    route('/accounts', ['GET']),
    route('/accounts/{id}', ['GET', 'PUT']),
    route('/accounts/mine', ['GET']),
    route('/accounts/{id}/entries/{entry}'),
    route('/public/*'),
  ]

  test('is the most exact one', () => {
    for (const [path, expected] of [
      ['/', '/'],
      ['/accounts', '/accounts'],
      ['/accounts/7', '/accounts/{id}'],
      ['/accounts/mine', '/accounts/mine'],
      ['/accounts/7/entries/1', '/accounts/{id}/entries/{entry}'],
      ['/public', '/public/*'],
      ['/public/', '/public/*'],
      ['/public/a/b', '/public/*'],
    ] as const) {
      assert.equal(found(routes, 'GET', path), expected, path)
    }
  })

  test('is none for what nobody declared: not the parent, not a longer path, not other letters', () => {
    for (const path of [
      '/account',
      '/accounts/',
      '/accounts/7/',
      '/accounts/7/entries',
      '/ACCOUNTS',
      '/publicly',
      '//',
    ]) {
      assert.equal(found(routes, 'GET', path), 'absent', path)
    }
  })

  test('depends on the method; a less exact rule may have it', () => {
    assert.equal(found(routes, 'HEAD', '/accounts'), '/accounts')
    assert.equal(found(routes, 'POST', '/accounts'), 'method')
    assert.equal(found(routes, 'PUT', '/accounts/mine'), '/accounts/{id}')
    assert.equal(found(routes, 'get', '/accounts'), 'method')
  })

  test('among those of one path is the first that has the method', () => {
    const match = createRouteTable([
      route('/x', ['GET'], 'first'),
      route('/x', [], 'second'),
    ]).match('GET', '/x')
    assert.deepEqual(match.kind === 'route' && match.route.scopes, ['first'])
  })

  test('never is one whose own path does not fit, however many there are', () => {
    const segment = fc.constantFrom('a', 'b', 'aa', '{x}', '__proto__', 'constructor')
    const pattern = fc
      .tuple(fc.array(segment, { maxLength: 4 }), fc.boolean())
      .map(([parts, rest]) => `/${[...parts, ...(rest ? ['*'] : [])].join('/')}`)
    const path = fc
      .array(fc.constantFrom('a', 'b', 'aa', 'c', '', '__proto__', 'toString'), { maxLength: 5 })
      .map((parts) => `/${parts.join('/')}`)
    fc.assert(
      fc.property(fc.array(pattern, { maxLength: 12 }), path, (patterns, at) => {
        const expected = patterns.some((each) => fits(each, at))
        assert.equal(
          found(
            patterns.map((each) => route(each)),
            'GET',
            at,
          ) !== 'absent',
          expected,
        )
      }),
    )
  })
})

/** The meaning of a pattern, said in another way. */
function fits(pattern: string, path: string): boolean {
  const source = pattern
    .split('/')
    .slice(1)
    .map((part) => (part === '*' ? '(?:/.*)?' : part.startsWith('{') ? '/[^/]+' : `/${part}`))
    .join('')
  return new RegExp(`^${source}$`, 's').test(path)
}
