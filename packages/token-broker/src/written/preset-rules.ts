import type { AuthenticationMethod, PresetRule } from '../presets/preset.ts'
import { presetOf } from './resolve-addresses.ts'
import type { ConnectionProblem, WrittenConnection } from './written-connection.ts'

type Rule = (
  written: WrittenConnection,
  method: AuthenticationMethod,
) => ConnectionProblem | undefined

/** What a kind of provider would refuse anyway. */
export function findPresetProblems(
  written: WrittenConnection,
  method: AuthenticationMethod,
): ConnectionProblem[] {
  const rules = presetOf(written).rules ?? []
  return rules.flatMap((rule) => RULES[rule](written, method) ?? [])
}

const RULES: Readonly<Record<PresetRule, Rule>> = {
  'one-default-scope': (written) => {
    if (!isClientCredentials(written)) return undefined
    const { scopes = [] } = written
    if (scopes.length === 1 && scopes[0]?.endsWith('/.default')) return undefined
    return {
      path: ['scopes'],
      message:
        scopes.length > 1
          ? 'more than one: with client credentials a token is for one resource'
          : 'not `<resource>/.default`',
      fix: 'write one scope: the Application ID URI of the API and `/.default`, such as `https://graph.microsoft.com/.default`',
    }
  },
  'own-tenant': (written) => {
    const { tenant = '' } = written
    if (!isClientCredentials(written) || !SHARED_TENANTS.has(tenant)) return undefined
    return {
      path: ['tenant'],
      message: `\`${tenant}\` gives no tokens to apps that act for themselves`,
      fix: 'write the Directory (tenant) ID',
    }
  },
  'scopes-required': (written) => {
    const { scopes = [], grant = presetOf(written).grant } = written
    if (scopes.length > 0 || grant === 'refresh_token') return undefined
    const fix = 'list the scopes that are registered there'
    return { path: ['scopes'], message: 'missing: this provider gives no token without', fix }
  },
  'audience-required': (written) => {
    if (!isClientCredentials(written) || written.audience !== undefined) return undefined
    const fix = 'write the Identifier of the API, as its settings there show it'
    return { path: ['audience'], message: 'missing: it names the API', fix }
  },
  'okta-org-server-needs-key': (written, method) => {
    if (!isClientCredentials(written) || method === 'private_key_jwt') return undefined
    const isOrg = written.authorizationServer === undefined && written.domain !== undefined
    if (!isOrg || written.tokenEndpoint !== undefined) return undefined
    return {
      path: ['authorizationServer'],
      message: 'missing: the org server gives tokens to apps with a key only',
      fix: 'name a custom authorization server, such as `default`, or authenticate with a key',
    }
  },
}

const SHARED_TENANTS = new Set(['common', 'organizations', 'consumers'])

function isClientCredentials(written: WrittenConnection): boolean {
  return (written.grant ?? presetOf(written).grant) === 'client_credentials'
}
