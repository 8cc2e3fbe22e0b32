import { type KitFacts, usesDevice } from './kit-facts.ts'
import { kitValues } from './kit-values.ts'

/**
 * A Bruno collection as files by name. The secret is read from `.env` beside them, which Bruno
 * keeps out of what it shares.
 */
export function brunoCollection(facts: KitFacts): Readonly<Record<string, string>> {
  const { client, programScopes, programReads, userReads } = facts
  const files: Record<string, string> = {
    'bruno.json': `${JSON.stringify({ version: '1', name: `${client.name} (Scopegate)`, type: 'collection', ignore: ['node_modules', '.git'] }, null, 2)}\n`,
    'environments/scopegate.bru': environment(facts),
  }
  let seq = 0
  const add = (name: string, blocks: readonly string[]) => {
    seq += 1
    const meta = block('meta', [`name: ${name}`, 'type: http', `seq: ${seq}`])
    files[`${name}.bru`] = `${[meta, ...blocks].join('\n\n')}\n`
  }
  add('SMART configuration', get('.well-known/smart-configuration', 'none'))
  if (programScopes !== '') add('Get a token', token(facts))
  for (const path of programReads) {
    add(`Search ${typeOf(path)}`, [
      ...get(path, 'bearer'),
      block('auth:bearer', ['token: {{access_token}}']),
      answers(200),
    ])
  }
  if (usesDevice(client) && facts.redirectUri === undefined) return files
  for (const path of userReads) {
    add(`Search ${typeOf(path)} with a user`, [...get(path, 'oauth2'), signIn(facts)])
  }
  return files
}

function environment(facts: KitFacts): string {
  const values = Object.entries(kitValues(facts)).map(([name, value]) => `${name}: ${value}`)
  const secret =
    facts.client.authentication === 'secret' ? ['client_secret: {{process.env.CLIENT_SECRET}}'] : []
  return `${block('vars', [...values, ...secret])}\n`
}

function token({ client }: KitFacts): string[] {
  const isSecret = client.authentication === 'secret'
  const assertion = [
    'client_assertion_type: urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    'client_assertion: {{client_assertion}}',
  ]
  return [
    block('post', [
      'url: {{token_url}}',
      'body: formUrlEncoded',
      `auth: ${isSecret ? 'basic' : 'none'}`,
    ]),
    ...(isSecret
      ? [block('auth:basic', ['username: {{client_id}}', 'password: {{client_secret}}'])]
      : []),
    block('body:form-urlencoded', [
      'grant_type: client_credentials',
      'scope: {{scope}}',
      ...(isSecret ? [] : assertion),
    ]),
    block('script:post-response', ['bru.setVar("access_token", res.body.access_token)']),
    answers(200),
  ]
}

function signIn({ client }: KitFacts): string {
  return block('auth:oauth2', [
    'grant_type: authorization_code',
    'callback_url: {{redirect_uri}}',
    'authorization_url: {{authorize_url}}?aud={{fhir_url}}',
    'access_token_url: {{token_url}}',
    'refresh_token_url: {{token_url}}',
    'client_id: {{client_id}}',
    `client_secret: ${client.authentication === 'secret' ? '{{client_secret}}' : ''}`,
    'scope: {{user_scope}}',
    'state: ',
    'pkce: true',
    `credentials_placement: ${client.authentication === 'secret' ? 'basic_auth_header' : 'body'}`,
    'credentials_id: scopegate',
    'token_placement: header',
    'token_header_prefix: Bearer',
    'auto_fetch_token: true',
    'auto_refresh_token: false',
  ])
}

function get(path: string, auth: string): string[] {
  return [
    block('get', [`url: {{fhir_url}}/${path}`, 'body: none', `auth: ${auth}`]),
    ...(path.includes('?')
      ? [
          block(
            'params:query',
            path
              .split('?')[1]
              ?.split('&')
              .map((pair) => pair.replace('=', ': ')) ?? [],
          ),
        ]
      : []),
  ]
}

function answers(status: number): string {
  return block('assert', [`res.status: eq ${status}`])
}

function block(name: string, lines: readonly string[]): string {
  return `${name} {\n${lines.map((line) => `  ${line}`).join('\n')}\n}`
}

function typeOf(path: string): string {
  return path.split('?', 1)[0] ?? path
}
