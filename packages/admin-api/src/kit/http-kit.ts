import { type KitFacts, SECRET_PLACEHOLDER } from './kit-facts.ts'
import { kitValues } from './kit-values.ts'

const ENVIRONMENT = 'scopegate'

/** An `.http` file for the HTTP client of the JetBrains IDEs and for httpYac. It holds no secret. */
export function httpFile(facts: KitFacts): string {
  const parts = [
    `# ${facts.client.name.replaceAll(/\s+/g, ' ')}: choose the environment \`${ENVIRONMENT}\`, then run from top to bottom.`,
    '### What the server offers\nGET {{fhir_url}}/.well-known/smart-configuration\nAccept: application/json',
  ]
  if (facts.programScopes !== '') {
    const isSecret = facts.client.authentication === 'secret'
    const assertion = isSecret
      ? ''
      : '&client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer&client_assertion={{client_assertion}}'
    parts.push(
      [
        '### Get a token by client credentials',
        'POST {{token_url}}',
        ...(isSecret ? ['Authorization: Basic {{client_id}} {{client_secret}}'] : []),
        'Content-Type: application/x-www-form-urlencoded',
        '',
        `grant_type=client_credentials&scope=${encodeURIComponent(facts.programScopes)}${assertion}`,
        '',
        '> {% client.global.set("access_token", response.body.access_token) %}',
      ].join('\n'),
      ...reads(facts.programReads, '{{access_token}}'),
    )
  }
  parts.push(...reads(facts.userReads, '{{$auth.token("user")}}'))
  return `${parts.join('\n\n')}\n`
}

/** `http-client.env.json`: the values, and how a user signs in. It holds no secret. */
export function httpEnvironment(facts: KitFacts): object {
  const { addresses, client, redirectUri, userScopes } = facts
  const security = {
    Auth: {
      user: {
        Type: 'OAuth2',
        'Grant Type': 'Authorization Code',
        'Auth URL': addresses.authorizationEndpoint,
        'Token URL': addresses.tokenEndpoint,
        'Redirect URL': redirectUri,
        'Client ID': client.clientId,
        'Client Credentials': client.authentication === 'secret' ? 'basic' : 'none',
        Scope: userScopes,
        PKCE: true,
        'Custom Request Parameters': { aud: { Value: addresses.fhir, Use: 'In Auth Request' } },
      },
    },
  }
  return {
    [ENVIRONMENT]: {
      ...kitValues(facts),
      ...(redirectUri !== undefined && { Security: security }),
    },
  }
}

/** `http-client.private.env.json`: the secret alone. `undefined` for a client without one. */
export function httpPrivateEnvironment(
  { client, redirectUri }: KitFacts,
  clientSecret = SECRET_PLACEHOLDER,
): object | undefined {
  if (client.authentication !== 'secret') return undefined
  const security = { Auth: { user: { 'Client Secret': clientSecret } } }
  return {
    [ENVIRONMENT]: {
      client_secret: clientSecret,
      ...(redirectUri !== undefined && { Security: security }),
    },
  }
}

function reads(paths: readonly string[], token: string): string[] {
  return paths.map(
    (path) =>
      `### Search ${path.split('?', 1)[0]}\nGET {{fhir_url}}/${path}\nAuthorization: Bearer ${token}\nAccept: application/fhir+json`,
  )
}
