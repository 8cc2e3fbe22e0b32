import { parseScopes } from '@scopegate/smart-scopes'
import { nameOfIssuer } from '@scopegate/token-verify'
import { issuerSettings } from './issuer-settings.ts'
import { orNothing } from './read-yaml.ts'
import type { ReferenceReader } from './reference-reader.ts'
import type { Secret } from './secret.ts'
import type { Settings } from './settings.ts'

type Written = Settings['issuers'][number]
type WrittenIntrospection = NonNullable<Written['introspection']>

/** An issuer with its secrets read; `keysFile` is absolute, and was found to hold public keys. */
export type ConfiguredIssuer = Omit<Written, 'introspection'> & {
  readonly introspection?: Omit<WrittenIntrospection, 'secret' | 'privateKey'> & {
    readonly secret?: Secret
    readonly privateKey?: Secret
  }
}

/** The same settings, where every issuer has its name in full, and so has every list of trust. */
export function nameIssuers(settings: Settings): Settings {
  const issuers = settings.issuers.map((each) => ({
    ...each,
    issuer: nameOfIssuer(issuerSettings(each)),
  }))
  const full = (trusted: string) => issuers.find(({ name }) => name === trusted)?.issuer ?? trusted
  const { r4 } = settings.fhir
  return {
    ...settings,
    issuers,
    fhir: { ...settings.fhir, r4: { ...r4, trust: r4.trust.map(full) } },
    tokenExchange: settings.tokenExchange.map((each) => ({ ...each, issuer: full(each.issuer) })),
    apis: settings.apis.map((api) => ({
      ...api,
      auth: { ...api.auth, trust: api.auth.trust.map(full) },
    })),
  }
}

/** Reads what the issuers refer to, and judges what they say of each other. */
export function configuredIssuers(
  settings: Settings,
  reader: ReferenceReader,
): readonly ConfiguredIssuer[] {
  const { issuers } = settings
  checkNames(issuers, reader)
  checkOpaque(settings, reader)
  checkExchange(settings, reader)
  return issuers.map(({ keysFile, introspection, ...issuer }, index) => {
    checkMap(issuer.scopes.map, index, reader)
    const at = (key: string) => ['issuers', index, 'introspection', key]
    const { secret, privateKey, ...asking } = introspection ?? {}
    return {
      ...issuer,
      ...(keysFile !== undefined && reader.keySet(['issuers', index, 'keysFile'], keysFile)
        ? { keysFile: reader.path(keysFile) }
        : {}),
      ...(introspection && {
        introspection: {
          ...(asking as Omit<WrittenIntrospection, 'secret' | 'privateKey'>),
          ...orNothing('secret', reader.secret(at('secret'), secret)),
          ...orNothing('privateKey', reader.secret(at('privateKey'), privateKey)),
        },
      }),
    }
  })
}

/** One value of `iss` means one issuer, and one name too. */
function checkNames(issuers: Settings['issuers'], reader: ReferenceReader): void {
  const seen = new Set(issuers.map(({ issuer }) => issuer))
  const names = new Set(['self'])
  for (const [index, { aliases, name }] of issuers.entries()) {
    for (const [at, alias] of aliases.entries()) {
      if (seen.has(alias)) {
        reader.complain(['issuers', index, 'aliases', at], `\`${alias}\` is an issuer already`, {
          fix: 'list it once: as an alias, or as an issuer of its own',
        })
      }
      seen.add(alias)
    }
    if (name !== undefined && names.has(name)) {
      reader.complain(['issuers', index, 'name'], `\`${name}\` is taken`, { fix: 'rename one' })
    }
    if (name !== undefined) names.add(name)
  }
}

/** An opaque token does not tell whose it is: who is asked about it sees it. */
function checkOpaque({ issuers, fhir, apis }: Settings, reader: ReferenceReader): void {
  const asked = (trust: readonly string[]) =>
    issuers.flatMap(({ issuer, introspection }, index) =>
      introspection !== undefined && trust.includes(issuer) ? [{ index, introspection }] : [],
    )
  const lists = [fhir.r4.trust, ...apis.map(({ auth }) => auth.trust)]
  const unwanted = new Set(
    lists.flatMap((trust) =>
      asked(trust)
        .slice(1)
        .filter(({ introspection }) => !introspection.afterOthers)
        .map(({ index }) => index),
    ),
  )
  for (const index of unwanted) {
    reader.complain(
      ['issuers', index, 'introspection'],
      'a second issuer would be sent the opaque tokens of an endpoint',
      {
        fix: 'if it may see tokens that the first one does not know, write `afterOthers: true`; or trust it elsewhere',
      },
    )
  }
}

/** Only issuers whose tokens can be verified have tokens to exchange. */
function checkExchange({ issuers, tokenExchange }: Settings, reader: ReferenceReader): void {
  for (const [index, { issuer, scopes = '' }] of tokenExchange.entries()) {
    const at = (key: string) => ['tokenExchange', index, key]
    if (!issuers.some((each) => each.issuer === issuer)) {
      reader.complain(at('issuer'), `no such issuer: \`${issuer}\``, {
        fix: 'list it under `issuers`, and name it here',
      })
    }
    for (const { text, problem } of parseScopes(scopes).problems) {
      reader.complain(at('scopes'), `\`${text}\`: ${problem.message}`, { fix: problem.fix })
    }
  }
}

/** A typo here would be a scope that grants nothing. */
function checkMap(
  map: Readonly<Record<string, string>>,
  index: number,
  reader: ReferenceReader,
): void {
  for (const [name, scopes] of Object.entries(map)) {
    for (const { text, problem } of parseScopes(scopes).problems) {
      reader.complain(
        ['issuers', index, 'scopes', 'map', name],
        `\`${text}\`: ${problem.message}`,
        {
          fix: problem.fix,
        },
      )
    }
  }
}
