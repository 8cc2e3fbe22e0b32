import { problemResponse } from '@scopegate/http'
import {
  GENERATED_KINDS,
  type GeneratedKind,
  KEY_SET_NAME,
  type KeyAnswer,
  type KeyMaterial,
  KeyMaterialError,
  readKeyMaterial,
  type SignKeys,
  WHEN_EXPIRED,
  type WhenExpired,
} from '@scopegate/keys'
import { type AdminAnswer, type AdminCall, answerJson, offered } from '../call.ts'
import { AdminProblem } from '../problem.ts'
import { readJsonObject, refuseUnknown, textMember } from '../read-json.ts'
import {
  GRANT_MEMBERS,
  grantToWire,
  keySetToWire,
  readAlgorithms,
  readGrant,
} from './key-members.ts'
import { callerOf } from './sign-jwt.ts'
import { signingKeysToWire } from './signing-keys.ts'

/** The keys that sign for others; and, as before there were any, those that sign tokens. */
export async function listKeys({ deps }: AdminCall): Promise<AdminAnswer> {
  const sets = (await deps.signKeys?.list()) ?? []
  return answerJson({
    keys: sets.map(keySetToWire),
    signing_keys: await signingKeysToWire(deps),
  })
}

/** Who may only sign sees the public part of keys it may sign with, and its own grants. */
export async function showKey(call: AdminCall): Promise<AdminAnswer> {
  const { token, params } = call
  const name = params.name ?? ''
  const mayRead = token.scope.split(' ').includes('admin/keys.read')
  const keys = keysOf(call)
  const set = mayRead ? await keys.find(name) : await keys.findFor(name, callerOf(call))
  if (set) return answerJson(keySetToWire(set))
  const fix = '`scopegate key list` (GET /keys) lists them'
  throw new AdminProblem(404, `no key \`${name.slice(0, 64)}\``, fix)
}

const MATERIAL = ['key', 'key_base64', 'passphrase', 'certificate']

export async function addKey(call: AdminCall): Promise<AdminAnswer> {
  const members = await readJsonObject(call.request)
  try {
    return await addKeyOf(call, members)
  } catch (error) {
    const { name } = members
    if (error instanceof AdminProblem && typeof name === 'string' && KEY_SET_NAME.test(name)) {
      error.target = `key/${name}`
    }
    throw error
  }
}

async function addKeyOf(call: AdminCall, members: Record<string, unknown>): Promise<AdminAnswer> {
  refuseUnknown(members, ['name', 'generate', 'algorithms', 'when_expired', 'kid', ...MATERIAL])
  const name = textMember(members, 'name')
  const generate = oneOf<GeneratedKind>(members, 'generate', GENERATED_KINDS)
  const material = generate === undefined ? readMaterial(members, name) : undefined
  const algorithms = readAlgorithms(members)
  const whenExpired = oneOf<WhenExpired>(members, 'when_expired', WHEN_EXPIRED)
  const { kid } = unwrap(
    await keysOf(call).add({
      name,
      ...(material && { material }),
      ...(generate && { generate }),
      ...(algorithms && { algorithms }),
      ...(whenExpired && { whenExpired }),
    }),
  )
  return answerSet(call, name, 201, { kid, how: generate ?? 'imported' })
}

export async function addNextKey(call: AdminCall): Promise<AdminAnswer> {
  const members = await readJsonObject(call.request)
  refuseUnknown(members, ['kid', ...MATERIAL])
  const name = call.params.name ?? ''
  const { kid } = unwrap(await keysOf(call).addNext(name, readMaterial(members, name)))
  return answerSet(call, name, 201, { kid })
}

export async function rotateKey(call: AdminCall): Promise<AdminAnswer> {
  const hasBody = call.request.headers.get('content-type') !== null
  const members = hasBody ? await readJsonObject(call.request) : {}
  refuseUnknown(members, ['force'])
  const name = call.params.name ?? ''
  const { kid, retired } = unwrap(
    await keysOf(call).rotate(name, { force: members.force === true }),
  )
  return answerSet(call, name, 200, { kid, retired })
}

export async function attachCertificate(call: AdminCall): Promise<AdminAnswer> {
  const members = await readJsonObject(call.request)
  refuseUnknown(members, ['certificate'])
  const name = call.params.name ?? ''
  const certificate = textMember(members, 'certificate')
  const { kid } = unwrap(await explained(() => keysOf(call).attachCertificate(name, certificate)))
  return answerSet(call, name, 200, { kid })
}

export async function requestCertificate(call: AdminCall): Promise<AdminAnswer> {
  const members = await readJsonObject(call.request)
  refuseUnknown(members, ['subject', 'dns_names'])
  const name = call.params.name ?? ''
  const { dns_names: dnsNames = [] } = members
  if (!Array.isArray(dnsNames) || dnsNames.some((one) => typeof one !== 'string')) {
    throw new AdminProblem(400, '`dns_names` must be a list of texts')
  }
  const subject = textMember(members, 'subject')
  const { pem, kid } = unwrap(
    await explained(() => keysOf(call).certificateRequest(name, { subject, dnsNames })),
  )
  return answerJson({ kid, request: pem }, 200, { target: `key/${name}`, detail: { kid, subject } })
}

export async function removeKey(call: AdminCall): Promise<AdminAnswer> {
  const name = call.params.name ?? ''
  unwrap(await keysOf(call).remove(name))
  return answerJson({ name, removed: true }, 200, { target: `key/${name}` })
}

export async function grantKey(call: AdminCall): Promise<AdminAnswer> {
  const members = await readJsonObject(call.request)
  refuseUnknown(members, GRANT_MEMBERS)
  const name = call.params.name ?? ''
  const { holder, template } = readGrant(members)
  if (holder.kind === 'client' && !(await call.deps.clients.find(holder.name))) {
    throw new AdminProblem(
      404,
      `no client \`${holder.name.slice(0, 64)}\``,
      'a grant for a name that is free would go to whoever takes it: add the client first',
    )
  }
  const { grant } = unwrap(await keysOf(call).grant(name, holder, template))
  const wire = grantToWire(grant)
  return answerJson(wire, 200, { target: `key/${name}`, detail: wire })
}

export async function revokeKeyGrant(call: AdminCall): Promise<AdminAnswer> {
  const { name = '', kind, holder = '' } = call.params
  if (kind !== 'client' && kind !== 'role') {
    throw new AdminProblem(404, 'grants are for `client` or `role`')
  }
  unwrap(await keysOf(call).revoke(name, { kind, name: holder }))
  const target = `key/${name}`
  return answerJson({ [kind]: holder, removed: true }, 200, { target, detail: { [kind]: holder } })
}

/** Encrypted, and only where the configuration allows it at all. */
export async function exportKey(call: AdminCall): Promise<AdminAnswer> {
  if (call.deps.allowKeyExport !== true) return refusePrivate(call)
  const members = await readJsonObject(call.request)
  refuseUnknown(members, ['passphrase'])
  const name = call.params.name ?? ''
  const { pem, kid } = unwrap(await keysOf(call).export(name, textMember(members, 'passphrase')))
  return answerJson({ name, kid, encrypted_pkcs8: pem }, 200, {
    target: `key/${name}`,
    detail: { kid },
  })
}

export async function refusePrivate({ params, correlationId }: AdminCall): Promise<AdminAnswer> {
  const response = problemResponse(undefined, {
    status: 403,
    detail: 'this server gives no private key away',
    fix: 'have it sign (POST …/sign-jwt). Where a key must move, `keyStore.allowExport` and the scope admin/keys.export give it out encrypted (POST …/export)',
    correlationId,
  })
  return {
    response,
    decision: 'refused',
    audit: { target: `key/${(params.name ?? '').slice(0, 64)}` },
  }
}

/** Whether the caller has a grant on the key: such a caller may see its public part. */
export async function maySign({ deps, params, token }: AdminCall): Promise<boolean> {
  if (!token.scope.split(' ').includes('admin/keys.sign')) return false
  return (await deps.signKeys?.findFor(params.name ?? '', callerOf({ deps, token }))) !== undefined
}

export function keysOf({ deps }: AdminCall): SignKeys {
  return offered(deps.signKeys, 'keys that sign for others')
}

async function answerSet(
  call: AdminCall,
  name: string,
  status: number,
  detail: Readonly<Record<string, unknown>>,
): Promise<AdminAnswer> {
  const set = await keysOf(call).find(name)
  return answerJson(set ? keySetToWire(set) : { name }, status, { target: `key/${name}`, detail })
}

/** The key in the body: never repeated in an answer. */
function readMaterial(members: Record<string, unknown>, name: string): KeyMaterial {
  const { key, key_base64: base64 } = members
  if ((typeof key === 'string') === (typeof base64 === 'string')) {
    throw new AdminProblem(
      400,
      'the key is missing',
      'send `key` (PEM or JWK) or `key_base64` (PFX or DER), or `generate` for a new one',
    )
  }
  const optional = (member: string) =>
    members[member] === undefined ? undefined : textMember(members, member)
  const passphrase = optional('passphrase')
  const certificate = optional('certificate')
  const kid = optional('kid')
  const material = explain(() =>
    readKeyMaterial({
      name,
      ...(typeof key === 'string'
        ? { text: key }
        : { bytes: Buffer.from(String(base64), 'base64') }),
      ...(passphrase !== undefined && { passphrase }),
      ...(certificate !== undefined && { certificate }),
    }),
  )
  return kid === undefined ? material : { ...material, kid }
}

function explain<Value>(read: () => Value): Value {
  try {
    return read()
  } catch (error) {
    throw asProblem(error)
  }
}

async function explained<Value>(work: () => Promise<Value>): Promise<Value> {
  try {
    return await work()
  } catch (error) {
    throw asProblem(error)
  }
}

function asProblem(error: unknown): unknown {
  if (!(error instanceof KeyMaterialError)) return error
  return new AdminProblem(400, error.problem, error.fix)
}

function oneOf<Value extends string>(
  members: Record<string, unknown>,
  name: string,
  values: readonly Value[],
): Value | undefined {
  const value = members[name]
  if (value === undefined) return undefined
  if (values.includes(value as Value)) return value as Value
  throw new AdminProblem(400, `\`${name}\` must be one of ${values.join(', ')}`)
}

function unwrap<Value>(answer: KeyAnswer<Value>): Value {
  if (answer.ok) return answer
  throw new AdminProblem(answer.status, answer.why, answer.fix)
}
