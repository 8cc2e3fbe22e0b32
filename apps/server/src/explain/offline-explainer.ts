import { hash } from 'node:crypto'
import { compileApi, explainApi } from '@scopegate/api-gateway'
import type { AnyCheck } from '@scopegate/checks'
import { createFhirEndpoint } from '@scopegate/fhir-endpoint'
import type { FhirBackend } from '@scopegate/fhir-model'
import {
  type Explainer,
  type ExplainRequest,
  type Explanation,
  explainByAddress,
  type TokenVerifier,
} from '@scopegate/oauth-model'
import {
  createTokenVerifier,
  type Issuer,
  keysFromSet,
  rfc9068Issuer,
} from '@scopegate/token-verify'
import type { Config } from '../config.ts'
import { issuerOf } from '../configured-issuer.ts'
import { addressesOf } from '../wire/addresses.ts'
import { accessPolicyOf } from '../wire/fhir-data.ts'
import { signAgain } from './sign-again.ts'
import { withCauses } from './with-causes.ts'

export interface OfflineOptions {
  /** A JWK Set that stands for the keys of every issuer without a `keysFile`. */
  readonly keySet?: unknown
  /** Epoch milliseconds. */
  readonly nowMs: () => number
}

const NOT_CHECKED = 'not checked: no key set at hand'

/**
 * Explains with nothing but the configuration: no server, no database, no network. What needs one
 * of them is said not to be checked: signatures without keys, revocation, opaque tokens, data.
 */
export function createOfflineExplainer(
  config: Config,
  { keySet, nowMs }: OfflineOptions,
): Required<Explainer> {
  const known = keySet === undefined ? undefined : keysFromSet(keySet, 'the given key set')
  const names = new Set(
    config.issuers.filter(({ keysFile }) => keysFile !== undefined).map(({ issuer }) => issuer),
  )

  function issuersUnder(stand: { readonly keys: Issuer['keys'] } | undefined): readonly Issuer[] {
    const nothing = keysFromSet({ keys: [] }, 'no key set at hand')
    const network = { allowLoopback: false, allowPrivateHosts: [] }
    const keys = known ?? stand?.keys ?? nothing
    const others = config.issuers.map((each): Issuer => {
      const { resolveOpaque: _, ...issuer } = issuerOf(each, network, nowMs)
      return names.has(issuer.issuer) ? issuer : { ...issuer, keys }
    })
    return [rfc9068Issuer(config.url, keys), ...others]
  }

  function explainersUnder(issuers: readonly Issuer[]): Required<Explainer> {
    const verifier = createTokenVerifier({
      issuers,
      clockToleranceSeconds: config.settings.tokens.clockToleranceSeconds,
      now: () => Math.floor(nowMs() / 1000),
    })
    return explainByAddress([
      fhirExplainer(config, verifier, nowMs),
      ...config.apis.map((api) => explainApi(compileApi(api, config.url), verifier)),
    ])
  }

  const usual = explainersUnder(issuersUnder(undefined))

  async function explain(request: ExplainRequest): Promise<Explanation> {
    const first = await usual.explain(request)
    const failed = first.checks.find(({ outcome }) => outcome === 'fail')
    const isWithoutKeys = failed?.code === 'key_unknown' && known === undefined
    const again =
      isWithoutKeys && request.token !== undefined && !names.has(first.issuer ?? '')
        ? signAgain(request.token)
        : undefined
    if (again === undefined) return withoutState(first, request)
    const under = explainersUnder(issuersUnder({ keys: keysFromSet(again.keySet) }))
    const explained = await under.explain({ ...request, token: again.token })
    return withoutState(
      {
        ...explained,
        checks: explained.checks.map(
          (check): AnyCheck =>
            check.outcome === 'pass' && (check.name === 'key' || check.name === 'signature')
              ? { name: check.name, outcome: 'skipped', got: NOT_CHECKED }
              : check,
        ),
        notes: [...explained.notes, 'the signature is not checked: give the keys with --keys'],
        fingerprint: fingerprintOf(request.token!),
      },
      request,
    )
  }

  return withCauses({ explain, needs: usual.needs }, config)
}

/** Whether a token was revoked is in the database. */
function withoutState(explanation: Explanation, { token }: ExplainRequest): Explanation {
  if (token === undefined) return explanation
  return {
    ...explanation,
    checks: explanation.checks.map(
      (check): AnyCheck =>
        check.name === 'revocation' && check.outcome === 'pass'
          ? { name: 'revocation', outcome: 'skipped', got: 'not checked: known to the server only' }
          : check,
    ),
  }
}

function fhirExplainer(config: Config, verifier: TokenVerifier, nowMs: () => number) {
  const { fhirUrl } = addressesOf(config)
  const { r4 } = config.settings.fhir
  return createFhirEndpoint({
    baseUrl: fhirUrl,
    backend: EMPTY,
    hasData: false,
    verifier,
    audiences: r4.audiences,
    issuers: r4.trust.map((trusted) => (trusted === 'self' ? config.url : trusted)),
    policy: accessPolicyOf(config, fhirUrl),
    cursorKey: new Uint8Array(32),
    audit: { record: () => undefined },
    traces: { record: () => undefined },
    settings: { defaultCount: r4.pageSize, maxCount: r4.maxPageSize },
    now: nowMs,
  })
}

const absent = async () => ({ kind: 'absent' as const, checks: [] })
const never = async () => {
  throw new TypeError('an explanation neither searches nor writes')
}

const EMPTY: FhirBackend = {
  read: absent,
  readVersion: absent,
  history: absent,
  search: never,
  create: never,
  update: never,
  delete: never,
  transaction: never,
}

/** As verifiers make it. */
function fingerprintOf(token: string): string {
  const digest = Buffer.from(hash('sha256', token, 'base64url'), 'base64url')
  return digest.subarray(0, 16).toString('base64url')
}
