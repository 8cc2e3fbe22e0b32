import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { chooseUser, openUpstream, refusalOf, signIn } from './testing/open-upstream.ts'

/** A provider whose token endpoint answers refreshes as told, and everything else by the lab. */
function open(answer: (form: URLSearchParams) => Response, keepTokens = true) {
  const forms: URLSearchParams[] = []
  const world = openUpstream('generic', {
    provider: { parameters: { resource: 'https://api.example', state: 'ignored' } },
    deps: {
      keepTokens,
      fetch: async (url, init) => {
        const form = new URLSearchParams(String(init.body ?? ''))
        if (form.get('grant_type') !== 'refresh_token')
          return world.lab.fetch(new Request(url, init))
        forms.push(form)
        return answer(form)
      },
    },
  })
  return { ...world, forms }
}

const tokens = { access_token: 'new', token_type: 'Bearer', expires_in: 60, refresh_token: 'next' }

describe('tokens of a sign-in', () => {
  test('are for who asks for them, and nobody else', async () => {
    const world = open(() => Response.json(tokens))
    const { tokens: kept, subject } = await signIn(world)
    assert.ok(kept?.accessToken)
    assert.equal(kept.claims?.sub, subject)
    assert.equal(kept.expiresAt, Math.floor(world.clock.nowMs / 1000) + 300)
    assert.equal((await signIn(open(() => Response.json(tokens), false))).tokens, undefined)
  })

  test('are refreshed', async () => {
    const world = open(() => Response.json(tokens))
    const fresh = await world.logins.refresh('generic', { refreshToken: 'old', subject: 's' })
    assert.deepEqual(fresh, {
      accessToken: 'new',
      refreshToken: 'next',
      expiresAt: Math.floor(world.clock.nowMs / 1000) + 60,
    })
    assert.equal(world.forms[0]?.get('refresh_token'), 'old')
  })

  test('that are taken back, or cannot be had now, are told apart', async () => {
    const refused = open(() => Response.json({ error: 'invalid_grant' }, { status: 400 }))
    const down = open(() => new Response('maintenance', { status: 503 }))
    const refresh = (world: ReturnType<typeof open>) =>
      refusalOf(() => world.logins.refresh('generic', { refreshToken: 'old', subject: 's' }))
    assert.equal((await refresh(refused)).reason, 'upstream_code_refused')
    assert.equal((await refresh(down)).reason, 'provider_unavailable')
  })

  test('of somebody else are refused', async () => {
    let idToken = ''
    const world = openUpstream('generic', {
      deps: {
        keepTokens: true,
        fetch: async (url, init) => {
          const form = new URLSearchParams(String(init.body ?? ''))
          if (form.get('grant_type') === 'refresh_token') {
            return Response.json({ ...tokens, id_token: idToken })
          }
          const answer = await world.lab.fetch(new Request(url, init))
          if (!url.endsWith('/token')) return answer
          const body = (await answer.json()) as { id_token: string }
          idToken = body.id_token
          return Response.json(body)
        },
      },
    })
    const { subject } = await signIn(world)
    const refresh = (who: string) =>
      world.logins.refresh('generic', { refreshToken: 'old', subject: who })
    assert.equal((await refresh(subject)).claims?.sub, subject)
    assert.equal((await refusalOf(() => refresh('somebody-else'))).reason, 'id_token_malformed')
  })
})

test('further parameters of a provider go with the request, and none of ours is replaced', async () => {
  const world = open(() => Response.json(tokens))
  const { redirectTo } = await world.logins.begin('generic', { returnTo: '/' })
  const { searchParams } = new URL(redirectTo)
  assert.equal(searchParams.get('resource'), 'https://api.example')
  assert.notEqual(searchParams.get('state'), 'ignored')
  assert.equal(searchParams.getAll('state').length, 1)
  assert.ok(await chooseUser(world.lab, redirectTo, 'nora'))
})
