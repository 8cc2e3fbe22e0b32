import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  createDiscovery,
  findIssuerProblems,
  ISSUER_PRESET_NAMES,
  ISSUER_PRESETS,
  type IssuerPreset,
  nameOfIssuer,
  resolveIssuer,
  SIGNATURE_ALGORITHMS,
} from '@scopegate/token-verify'
import fc from 'fast-check'
import { isAppOnly } from '../app-only.ts'
import { claimAt } from '../claim-places.ts'
import { mapScopes } from '../map-scopes.ts'

const network = { allowLoopback: false, allowPrivateHosts: [] }
const deps = { network, nowMs: () => 0 }
const PARTS = {
  tenant: 't-1',
  domain: 'd.example',
  url: 'https://sso.example/',
  realm: 'r',
  region: 'eu-central-1',
  userPool: 'p',
  environment: 'e',
}

describe('every preset', () => {
  for (const name of ISSUER_PRESET_NAMES) {
    const preset: IssuerPreset = ISSUER_PRESETS[name]
    test(`${name} is whole`, () => {
      const given = name === 'generic' ? { issuer: 'https://idp.example' } : {}
      const settings = { preset: name, parts: PARTS, ...given }
      assert.deepEqual(findIssuerProblems(settings), [])
      assert.ok(URL.canParse(nameOfIssuer(settings)), nameOfIssuer(settings))
      assert.ok(!nameOfIssuer(settings).includes('{'))
      const issuer = resolveIssuer(settings, deps)
      assert.equal(issuer.issuer, nameOfIssuer(settings))
      for (const alg of preset.algorithms ?? []) assert.ok(SIGNATURE_ALGORITHMS.includes(alg))
      assert.ok(preset.remarks.length > 0)
      assert.ok(preset.claims.audience.length > 0, 'the audience is never off')
      assert.ok(preset.claims.roles.length === 0 || preset.appOnly !== undefined)
    })
  }

  test('without the parts of its issuer is told what is missing', () => {
    const [problem] = findIssuerProblems({ preset: 'entra-v2' })
    assert.deepEqual(problem?.path, ['tenant'])
    assert.match(problem.fix, /`tenant`/)
    const [unpinned] = findIssuerProblems({ preset: 'entra-v2', issuer: 'https://x.example' })
    assert.match(unpinned?.message ?? '', /other tenants/)
    assert.throws(() => resolveIssuer({ preset: 'okta' }, deps), /domain/)
  })

  test('can be replaced member by member', () => {
    const issuer = resolveIssuer(
      {
        ...{ preset: 'okta', parts: PARTS, algorithms: ['ES256'], requiredClaims: ['x'] },
        claims: { client: ['my_client'] },
        appOnly: { with: ['y'] },
        scopes: { map: { a: 'b' } },
      },
      deps,
    )
    assert.deepEqual(issuer.algorithms, ['ES256'])
    assert.deepEqual(issuer.requiredClaims, ['x'])
    assert.deepEqual(issuer.claims?.client, ['my_client'])
    assert.deepEqual(issuer.claims.scopes, ['scp'], 'what is not named stays')
    assert.deepEqual(issuer.appOnly, { with: ['y'] })
    assert.deepEqual(issuer.scopeNames, { map: { a: 'b' }, strip: [], unmapped: 'pass' })
  })
})

describe('names of scopes and roles', () => {
  const places = { scopes: ['scp'], roles: ['roles'] }
  const names = {
    map: { 'Observation.rs': 'user/Observation.rs', Reader: 'system/*.rs system/Patient.r' },
    strip: ['api://x/'],
    unmapped: 'drop',
  } as const

  test('are mapped, stripped, and dropped', () => {
    const map = (claims: object, withoutUser = false) =>
      mapScopes(claims as never, places, names, withoutUser)
    assert.equal(map({ scp: 'Observation.rs' }).scope, 'user/Observation.rs')
    assert.equal(
      map({ scp: ['api://x/Observation.rs', 'openid'] }).scope,
      'user/Observation.rs openid',
    )
    assert.equal(map({ scp: 'patient/*.cruds USER/*.rs system/*.rs' }).scope, '')
    assert.equal(map({ roles: ['Reader'] }, true).scope, 'system/*.rs system/Patient.r')
    assert.equal(map({ roles: ['Reader'] }).scope, '')
    assert.equal(map({ roles: ['Other'] }, true).scope, '', 'a role that is not mapped is no scope')
    assert.equal(map({ roles: ['system/*.cruds', 'openid'] }, true).scope, '')
    assert.equal(
      map({ scp: 'toString __proto__ constructor' }).scope,
      'toString __proto__ constructor',
    )
    assert.equal(map({ scp: 'api://x/' }).scope, 'api://x/')
    assert.equal(
      map({ scp: 'a"\n`b' }).origin,
      "claims seen: scp=[a'?'b]; mapped scopes: a'?'b",
      'shown without what could forge a line',
    )
  })

  test('law: with `drop`, a clinical scope comes of the map or not at all', () => {
    const clinical = /^(patient|user|system)\//i
    fc.assert(
      fc.property(fc.array(fc.string()), fc.array(fc.string()), fc.boolean(), (scp, roles, app) => {
        const { scope } = mapScopes({ scp, roles }, places, names, app)
        const allowed = Object.values(names.map).join(' ').split(' ')
        for (const each of scope.split(' ').filter((text) => clinical.test(text))) {
          assert.ok(allowed.includes(each))
        }
      }),
    )
  })
})

describe('tokens without a user', () => {
  const rule = (name: keyof typeof ISSUER_PRESETS) =>
    (ISSUER_PRESETS[name] as IssuerPreset).appOnly!
  for (const [name, claims, expected] of [
    ['entra-v2', { sub: 's', oid: 's', azp: 'a' }, true],
    ['entra-v2', { sub: 's', oid: 's', idtyp: 'app' }, true],
    ['entra-v2', { sub: 's', oid: 'o' }, false],
    ['entra-v2', { sub: 's', oid: 's', idtyp: 'user' }, false],
    ['entra-v2', { sub: 's', oid: 's', scp: '' }, false],
    ['okta', { sub: 'c', cid: 'c' }, true],
    ['okta', { sub: 'c', cid: 'c', uid: 'u' }, false],
    ['okta', { cid: 'c' }, false],
    ['auth0', { sub: 'a@clients', azp: 'a' }, true],
    ['auth0', { sub: 'b@clients', azp: 'a' }, false],
    ['cognito', { sub: 'c', client_id: 'c' }, true],
    ['cognito', { sub: 'c', client_id: 'c', username: 'u' }, false],
    ['google', { sub: '1', azp: '1' }, true],
    ['google', { sub: '1', azp: '2' }, false],
    ['ping', { client_id: 'c' }, true],
    ['ping', { client_id: 'c', sub: 'u' }, false],
  ] as const) {
    test(`${name} ${JSON.stringify(claims)}: ${expected}`, () => {
      assert.equal(isAppOnly(claims, rule(name)), expected)
    })
  }
})

test('claims are found by pointer, never among what objects inherit', () => {
  const claims = { a: { 'b/c': { '~': [1, 'x'] } }, 'https://x.example/p': 'y' }
  assert.equal(claimAt(claims, '/a/b~1c/~0/1'), 'x')
  assert.equal(claimAt(claims, 'https://x.example/p'), 'y')
  for (const place of ['/a/none', '/a/constructor', '/a/b~1c/~0/length2', 'toString', '/', '/a/']) {
    assert.equal(claimAt(claims, place), undefined, place)
  }
})

describe('discovery', () => {
  const find = (stated: unknown, more: object = {}, asked: string[] = []) =>
    createDiscovery({
      issuer: 'https://idp.example/realms/a',
      network,
      fetch: async (url) => {
        asked.push(url)
        return { value: stated }
      },
      ...more,
    }).find('jwks_uri')
  const good = {
    issuer: 'https://idp.example/realms/a',
    jwks_uri: 'https://idp.example/realms/a/keys',
  }

  test('over a back channel reaches the same paths by the other name', async () => {
    const asked: string[] = []
    const backchannelUrl = 'http://keycloak:8080/realms/a'
    assert.deepEqual(await find(good, { backchannelUrl }, asked), {
      named: 'https://idp.example/realms/a/keys',
      reached: 'http://keycloak:8080/realms/a/keys',
    })
    assert.deepEqual(asked, ['http://keycloak:8080/realms/a/.well-known/openid-configuration'])
    const elsewhere = { ...good, jwks_uri: 'https://cdn.example/keys' }
    assert.equal((await find(elsewhere, { backchannelUrl })).reached, 'https://cdn.example/keys')
    // Without a fixed host name the issuer calls itself by the name that it was asked by.
    await find({ ...good, issuer: backchannelUrl }, { backchannelUrl })
  })

  test('of another issuer is refused with both names and what to do', async () => {
    const other = { ...good, issuer: 'http://localhost:8080/realms/a' }
    await assert.rejects(find(other), (error: Error) => {
      for (const part of ['localhost:8080', 'https://idp.example', 'aliases', 'backchannelUrl']) {
        assert.ok(error.message.includes(part), part)
      }
      return true
    })
    await find(other, { aliases: ['http://localhost:8080/realms/a'] })
    await assert.rejects(find({ ...good, issuer: `${good.issuer}/` }), /final slash/)
    await assert.rejects(find({}), /undefined/)
    await assert.rejects(find({ issuer: good.issuer, jwks_uri: 7 }), /names no `jwks_uri`/)
  })
})
