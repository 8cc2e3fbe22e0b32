import { isLoopback } from '@scopegate/http'
import {
  bareHost,
  createDiscovery,
  type NetworkPolicy,
  nameOfIssuer,
  parseKeySet,
  SIGNATURE_ALGORITHMS,
} from '@scopegate/token-verify'
import type { ConfiguredIssuer } from '../config/configured-issuer.ts'
import { issuerSettings } from '../config/issuer-settings.ts'
import { judgeCertificateEnd, judgeClock, judgeScheme } from './examine-connection.ts'
import { type Examination, fail, pass, reasonOf, type Told, warn } from './finding.ts'
import { probe } from './probe.ts'

/** Where an issuer is, for whom its metadata must be, and what it may sign with. */
export interface IssuerToExamine {
  readonly subject: string
  /** The setting to correct: `issuers[0]`. */
  readonly setting: string
  readonly issuer: string
  readonly aliases: readonly string[]
  readonly discoveryUrl: string
  /** Known without discovery. */
  readonly keysUrl?: string
  readonly algorithms: readonly string[]
  /** Endpoints that its metadata must name. */
  readonly endpoints: readonly string[]
  /** Where requests to it may lead: its metadata name addresses that nobody here has chosen. */
  readonly network: NetworkPolicy
  /** An address that its metadata name, as it is reached from here. */
  readonly reach: (address: string) => string
}

/** An issuer of `issuers`; one with a `keysFile` is not asked anything. */
export function issuerToExamine(
  configured: ConfiguredIssuer,
  index: number,
  allowLoopback: boolean,
): IssuerToExamine {
  const { aliases, backchannelUrl, keysUrl, algorithms, discoveryUrl } = configured
  const issuer = configured.issuer || nameOfIssuer(issuerSettings(configured))
  const base = (backchannelUrl ?? issuer).replace(/\/$/, '')
  const network = networkOf(backchannelUrl, allowLoopback)
  const { reach } = createDiscovery({
    ...{ issuer, aliases, network },
    ...(backchannelUrl && { backchannelUrl }),
  })
  return {
    subject: `issuer ${configured.name ?? issuer}`,
    setting: `issuers[${index}]`,
    ...{ issuer, aliases },
    discoveryUrl:
      discoveryUrl === undefined ? `${base}/.well-known/openid-configuration` : reach(discoveryUrl),
    ...(keysUrl && { keysUrl }),
    algorithms: algorithms ?? SIGNATURE_ALGORITHMS,
    endpoints: [],
    ...{ network, reach },
  }
}

/**
 * As the server itself asks: what is declared may be on loopback or plain, all else only where the
 * server is on loopback too; cloud metadata and the like never.
 */
export function networkOf(declared: string | undefined, allowLoopback: boolean): NetworkPolicy {
  const url = declared === undefined ? null : URL.parse(declared)
  return {
    allowLoopback,
    allowPrivateHosts: 'any',
    ...(url && { declaredHosts: [{ host: bareHost(url), plain: url.protocol === 'http:' }] }),
  }
}

/** Discovery, its equality with the configured issuer, clock, certificate, key set. */
export function examineIssuer(
  to: IssuerToExamine,
  { toleranceSeconds, nowMs }: { readonly toleranceSeconds: number; readonly nowMs: () => number },
): Examination {
  return {
    subject: to.subject,
    isRemote: true,
    async examine(signal) {
      if (to.keysUrl !== undefined) {
        return [
          pass('discovery', 'not needed: the address of the keys is configured'),
          ...(await examineKeys(to.keysUrl, to, signal)),
        ]
      }
      const address = to.discoveryUrl
      const isLocal = isLoopback(new URL(address).hostname)
      let answer: Awaited<ReturnType<typeof probe>>
      try {
        answer = await probe(address, signal, to.network)
      } catch (error) {
        return [unreachable('discovery', address, error, to)]
      }
      const told: Told[] = [...judgeScheme(address, isLocal)]
      told.push(...judgeClock(answer, toleranceSeconds))
      if (answer.certificateEndsMs !== undefined) {
        const fix = 'have its operator renew the certificate'
        told.push(judgeCertificateEnd(answer.certificateEndsMs, nowMs(), fix))
      }
      const metadata = readObject(answer.text)
      if (answer.status !== 200 || metadata === undefined) {
        const found = `${address} answers ${answer.status}${metadata === undefined ? ', not with JSON' : ''}`
        const fix = `correct \`issuer\` of ${to.setting}; if it has no discovery, set \`keysUrl\``
        return [...told, fail('discovery', found, fix)]
      }
      told.push(pass('discovery', address), judgeIssuer(metadata.issuer, to))
      for (const name of to.endpoints) {
        if (typeof metadata[name] === 'string') continue
        told.push(
          fail(
            'discovery',
            `its metadata name no \`${name}\``,
            'choose another provider, or set it by hand',
          ),
        )
      }
      if (typeof metadata.jwks_uri !== 'string') {
        return [
          ...told,
          fail('keys', 'its metadata name no `jwks_uri`', `set \`keysUrl\` of ${to.setting}`),
        ]
      }
      const keysUrl = URL.canParse(metadata.jwks_uri) ? to.reach(metadata.jwks_uri) : ''
      return [...told, ...(await examineKeys(keysUrl, to, signal))]
    },
  }
}

/** Says in which part two spellings of an issuer differ: that is what people overlook. */
function judgeIssuer(stated: unknown, { issuer, aliases, setting }: IssuerToExamine): Told {
  if (stated === issuer) return pass('issuer', issuer)
  const shown = `configured \`${issuer}\`, its metadata say \`${String(stated).slice(0, 200)}\``
  if (typeof stated === 'string' && aliases.includes(stated)) {
    return pass('issuer', `${issuer}, known as \`${stated}\``)
  }
  const other = typeof stated === 'string' ? URL.parse(stated) : null
  const own = URL.parse(issuer)
  if (other === null || own === null) {
    return fail('issuer', shown, `write \`issuer\` of ${setting} as its tokens have it`)
  }
  const differs =
    String(stated).replace(/\/$/, '') === issuer.replace(/\/$/, '')
      ? 'only the final slash differs'
      : other.protocol !== own.protocol && other.host === own.host
        ? 'the scheme differs (http and https)'
        : other.host !== own.host
          ? 'the host differs'
          : 'the path differs'
  const fix =
    other.host === own.host
      ? `write \`issuer: ${stated}\` in ${setting}, exactly`
      : `write \`issuer: ${stated}\` and \`backchannelUrl: ${issuer}\` in ${setting}: the name that tokens carry, and the one that this server reaches it by; or add the other name to \`aliases\``
  return fail('issuer', `${differs}: ${shown}`, fix)
}

async function examineKeys(
  address: string,
  { algorithms, setting, network }: IssuerToExamine,
  signal: AbortSignal,
): Promise<readonly Told[]> {
  let answer: Awaited<ReturnType<typeof probe>>
  try {
    answer = await probe(address, signal, network)
  } catch (error) {
    return [unreachable('keys', address, error, { setting })]
  }
  const set = readObject(answer.text)
  if (answer.status !== 200 || set === undefined) {
    const fix = `open the address from this machine; or set \`keysUrl\` of ${setting}`
    return [fail('keys', `${address} answers ${answer.status}, without a key set`, fix)]
  }
  const parsed = parseKeySet(set)
  if (!parsed.ok) {
    return [fail('keys', `${address}: ${parsed.problem}`, 'have its operator correct the key set')]
  }
  const { keys } = parsed
  const usable = keys.filter(({ alg, kty }) =>
    alg === undefined
      ? algorithms.some((each) => KINDS[each.slice(0, 2)] === kty)
      : algorithms.includes(alg),
  )
  if (usable.length === 0) {
    const found = `${keys.length} keys, none for ${algorithms.join(', ')}`
    return [
      fail(
        'keys',
        found,
        `widen \`algorithms\` of ${setting}, or have the issuer sign with one of them`,
      ),
    ]
  }
  const nameless = usable.filter(({ kid }) => kid === undefined)
  if (nameless.length > 0 && usable.length > 1) {
    const found = `${nameless.length} of ${usable.length} keys have no \`kid\``
    return [warn('keys', found, 'have its operator give every key a `kid` of its own')]
  }
  return [pass('keys', `${usable.length} usable at ${address}`)]
}

const KINDS: Readonly<Record<string, string>> = {
  RS: 'RSA',
  PS: 'RSA',
  ES: 'EC',
  Ed: 'OKP',
}

function unreachable(
  check: string,
  address: string,
  error: unknown,
  { setting }: Pick<IssuerToExamine, 'setting'>,
): Told {
  const why = reasonOf(error)
  if (/ address$|^only https|^the URL holds/.test(why)) {
    const fix = `this server does not go there: have its operator correct the address, or set \`backchannelUrl\` or \`keysUrl\` of ${setting}`
    return fail(check, `${address}: ${why}`, fix)
  }
  const fix = /CERT|SIGNED|VERIFY|ALTNAME|ISSUER/.test(why)
    ? 'add its CA with NODE_EXTRA_CA_CERTS=ca.pem, or use the name that the certificate is for; verification is never switched off'
    : `open it from this machine (name, route, proxy, firewall); if browsers and this server know it by different names, set \`backchannelUrl\` of ${setting}`
  return fail(check, `${address}: ${why}`, fix)
}

function readObject(text: string): Record<string, unknown> | undefined {
  try {
    const value = JSON.parse(text)
    return value !== null && typeof value === 'object' && !Array.isArray(value) ? value : undefined
  } catch {
    return undefined
  }
}
