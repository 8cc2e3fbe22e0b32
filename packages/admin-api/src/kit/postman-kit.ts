import { type KitFacts, POSTMAN_CALLBACK, SECRET_PLACEHOLDER } from './kit-facts.ts'
import { kitValues } from './kit-values.ts'

const SCHEMA = 'https://schema.getpostman.com/json/collection/v2.1.0/collection.json'

/**
 * A Postman collection (v2.1): what the server offers, a token, reads, with tests. It holds no
 * secret; the values are in the environment.
 */
export function postmanCollection(facts: KitFacts): object {
  const { client, programScopes, userScopes } = facts
  return {
    info: {
      name: `${client.name} (Scopegate)`,
      description: `Import the environment too, and choose it.${usesBrowser(facts) ? '' : `\n\nTo sign in with the browser of your own, register the redirect URI ${POSTMAN_CALLBACK} for this client.`}`,
      schema: SCHEMA,
    },
    item: [
      {
        name: 'What the server offers',
        auth: { type: 'noauth' },
        item: [
          request('SMART configuration', '.well-known/smart-configuration', [
            `pm.test('answers 200', () => pm.response.to.have.status(200))`,
            `pm.test('names the token endpoint', () => pm.expect(pm.response.json().token_endpoint).to.equal(pm.environment.get('token_url')))`,
          ]),
          request('Capability statement', 'metadata', [
            `pm.test('answers 200', () => pm.response.to.have.status(200))`,
          ]),
        ],
      },
      ...(programScopes === '' ? [] : [programFolder(facts)]),
      ...(userScopes === '' ? [] : [userFolder(facts)]),
    ],
  }
}

/** The environment of the collection. The only file of the collection with the secret. */
export function postmanEnvironment(facts: KitFacts, clientSecret = SECRET_PLACEHOLDER): object {
  const { client } = facts
  const plain = Object.entries(kitValues(facts)).map(([key, value]) => ({
    key,
    value,
    type: 'default',
    enabled: true,
  }))
  const secret = (key: string, value: string) => ({ key, value, type: 'secret', enabled: true })
  return {
    name: `${client.name} (Scopegate)`,
    values: [
      ...plain,
      ...(client.authentication === 'secret' ? [secret('client_secret', clientSecret)] : []),
      ...(usesKeys(facts) ? [secret('client_assertion', '')] : []),
      ...(facts.programScopes === '' ? [] : [secret('access_token', '')]),
    ],
    _postman_variable_scope: 'environment',
  }
}

function programFolder(facts: KitFacts): object {
  const form = [
    ['grant_type', 'client_credentials'],
    ['scope', '{{scope}}'],
    ...(usesKeys(facts)
      ? [
          ['client_assertion_type', 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'],
          ['client_assertion', '{{client_assertion}}'],
        ]
      : []),
  ]
  return {
    name: 'By client credentials',
    auth: { type: 'bearer', bearer: [{ key: 'token', value: '{{access_token}}', type: 'string' }] },
    item: [
      {
        name: 'Get a token',
        event: tests([
          `pm.test('answers 200', () => pm.response.to.have.status(200))`,
          `const answer = pm.response.json()`,
          `pm.test('is a bearer token that lives a while', () => {`,
          `  pm.expect(answer.token_type).to.equal('Bearer')`,
          `  pm.expect(answer.expires_in).to.be.above(0)`,
          `})`,
          `pm.test('has every scope that was asked for', () => pm.expect(answer.scope.split(' ')).to.include.members(pm.environment.get('scope').split(' ')))`,
          `pm.environment.set('access_token', answer.access_token)`,
        ]),
        request: {
          method: 'POST',
          auth: usesKeys(facts)
            ? { type: 'noauth' }
            : {
                type: 'basic',
                basic: [
                  { key: 'username', value: '{{client_id}}', type: 'string' },
                  { key: 'password', value: '{{client_secret}}', type: 'string' },
                ],
              },
          header: [{ key: 'Accept', value: 'application/json' }],
          body: {
            mode: 'urlencoded',
            urlencoded: form.map(([key, value]) => ({ key, value, type: 'text' })),
          },
          url: '{{token_url}}',
          ...(usesKeys(facts) && {
            description:
              'Put an assertion that your private key signed into `client_assertion` of the environment; it works once. curl.sh shows how to make one.',
          }),
        },
      },
      ...facts.programReads.map((path) =>
        request(`Search ${path.split('?', 1)[0]}`, path, [
          `pm.test('answers 200', () => pm.response.to.have.status(200))`,
          `pm.test('is a Bundle', () => pm.expect(pm.response.json().resourceType).to.equal('Bundle'))`,
        ]),
      ),
    ],
  }
}

/** Postman signs the user in itself: “Get New Access Token” of the folder. */
function userFolder(facts: KitFacts): object {
  const { client } = facts
  const attribute = (key: string, value: unknown, type = 'string') => ({ key, value, type })
  const isSecret = client.authentication === 'secret'
  return {
    name: 'With a user',
    description:
      'Open the Authorization tab of this folder, choose “Get New Access Token”, sign in, and use the token.',
    auth: {
      type: 'oauth2',
      oauth2: [
        attribute('tokenName', client.name),
        attribute('grant_type', 'authorization_code_with_pkce'),
        attribute('challengeAlgorithm', 'S256'),
        attribute('authUrl', '{{authorize_url}}'),
        attribute('accessTokenUrl', '{{token_url}}'),
        attribute('redirect_uri', '{{redirect_uri}}'),
        attribute('useBrowser', usesBrowser(facts), 'boolean'),
        attribute('clientId', '{{client_id}}'),
        attribute('clientSecret', isSecret ? '{{client_secret}}' : ''),
        attribute('client_authentication', isSecret ? 'header' : 'body'),
        attribute('scope', '{{user_scope}}'),
        attribute('addTokenTo', 'header'),
        attribute(
          'authRequestParams',
          [{ key: 'aud', value: '{{fhir_url}}', enabled: true, send_as: 'request_url' }],
          'any',
        ),
      ],
    },
    item: facts.userReads.map((path) =>
      request(`Search ${path.split('?', 1)[0]}`, path, [
        `const hasToken = pm.request.headers.has('Authorization')`,
        `pm.test(hasToken ? 'answers 200' : 'is refused without a token: get one in the Authorization tab of the folder', () => pm.response.to.have.status(hasToken ? 200 : 401))`,
      ]),
    ),
  }
}

function request(name: string, path: string, lines: readonly string[]): object {
  return {
    name,
    event: tests(lines),
    request: {
      method: 'GET',
      header: [{ key: 'Accept', value: 'application/fhir+json' }],
      url: `{{fhir_url}}/${path}`,
    },
  }
}

function tests(exec: readonly string[]): readonly object[] {
  return [{ listen: 'test', script: { type: 'text/javascript', exec } }]
}

function usesKeys({ client }: KitFacts): boolean {
  return client.authentication === 'jwks' || client.authentication === 'jwks_uri'
}

function usesBrowser({ client }: KitFacts): boolean {
  return client.redirectUris.includes(POSTMAN_CALLBACK)
}
