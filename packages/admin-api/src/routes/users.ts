import { type AdminAnswer, type AdminCall, answerJson, offered } from '../call.ts'
import type { UserAnswer, UserChanges, UserSessionView, UserView } from '../ports.ts'
import { AdminProblem } from '../problem.ts'
import { readJsonObject, refuseUnknown, textMember } from '../read-json.ts'
import { notesOn, type UserNote } from './user-notes.ts'

export async function listUsers({ deps, query }: AdminCall): Promise<AdminAnswer> {
  const unknown = [...query.keys()].filter((name) => !['text', 'cursor', 'count'].includes(name))
  if (unknown.length > 0) {
    throw new AdminProblem(
      400,
      `unknown parameters: ${unknown.map((name) => `\`${name}\``).join(', ')}`,
      'known are text, cursor, count',
    )
  }
  const text = query.get('text')
  const cursor = query.get('cursor')
  const count = query.get('count')
  if (count !== null && !/^[1-9]\d{0,3}$/.test(count)) {
    throw new AdminProblem(400, '`count` must be a whole number from 1 to 1000')
  }
  const { users, next } = await offered(deps.users, 'users').list({
    ...(text !== null && { text }),
    ...(cursor !== null && { cursor }),
    ...(count !== null && { count: Number(count) }),
  })
  return answerJson({ users: users.map(toWire), ...(next !== undefined && { next }) })
}

export async function showUser(call: AdminCall): Promise<AdminAnswer> {
  return answerJson(toWire(await readUser(call)))
}

const MEMBERS = ['username', 'name', 'email', 'fhir_user', 'roles', 'locale', 'disabled']

export async function addUser({ deps, request }: AdminCall): Promise<AdminAnswer> {
  const members = await readJsonObject(request)
  refuseUnknown(members, [...MEMBERS, 'password'])
  const username = textMember(members, 'username')
  const { password } = members
  const added = unwrap(
    await offered(deps.users, 'users').add({
      ...(readChanges(members) as object),
      username,
      ...(password === null && { password: null }),
      ...(password !== null && password !== undefined && { password: readPassword(members) }),
    }),
  )
  const { user, oneTimePassword } = added
  return answerJson(
    {
      ...toWire(user),
      ...(oneTimePassword && { one_time_password: oneTimePassword }),
      ...asMember(await notesOn(deps, user)),
    },
    201,
    { target: `user/${user.id}`, detail: auditable(user) },
  )
}

export async function updateUser(call: AdminCall): Promise<AdminAnswer> {
  const { id } = await readUser(call)
  const members = await readJsonObject(call.request)
  refuseUnknown(members, MEMBERS)
  if (Object.keys(members).length === 0) {
    throw new AdminProblem(400, 'nothing is to be changed', `send some of ${MEMBERS.join(', ')}`)
  }
  const { user } = unwrap(await offered(call.deps.users, 'users').update(id, readChanges(members)))
  const revoked = members.disabled === true ? await revokeGrants(call, id, 'disabled') : undefined
  const notes = members.fhir_user === undefined ? [] : await notesOn(call.deps, user)
  return answerJson({ ...toWire(user), ...asMember(notes) }, 200, {
    target: `user/${id}`,
    detail: {
      changed: Object.keys(members),
      ...auditable(user),
      ...(revoked !== undefined && { revokedGrants: revoked }),
    },
  })
}

export async function setPassword(call: AdminCall): Promise<AdminAnswer> {
  const { id } = await readUser(call)
  const hasBody = call.request.headers.get('content-type') !== null
  const members = hasBody ? await readJsonObject(call.request) : {}
  refuseUnknown(members, ['password', 'must_change'])
  const mustChange = flag(members, 'must_change')
  const { user, oneTimePassword } = unwrap(
    await offered(call.deps.users, 'users').setPassword(id, {
      ...(members.password !== undefined && { password: readPassword(members) }),
      ...(mustChange !== undefined && { mustChange }),
    }),
  )
  return answerJson(
    { ...toWire(user), ...(oneTimePassword && { one_time_password: oneTimePassword }) },
    200,
    {
      target: `user/${id}`,
      detail: { username: user.username, mustChange: user.mustChangePassword },
    },
  )
}

export async function resetSecondFactors(call: AdminCall): Promise<AdminAnswer> {
  const { id, secondFactors } = await readUser(call)
  const { user } = unwrap(await offered(call.deps.users, 'users').removeSecondFactors(id))
  return answerJson(toWire(user), 200, {
    target: `user/${id}`,
    detail: { username: user.username, removed: secondFactors },
  })
}

export async function listSessions(call: AdminCall): Promise<AdminAnswer> {
  const { id } = await readUser(call)
  const sessions = await offered(call.deps.sessions, 'sessions').listOf(id)
  return answerJson({ sessions: sessions.map(sessionToWire) })
}

export async function endSessions(call: AdminCall): Promise<AdminAnswer> {
  const { id, username } = await readUser(call)
  const ended = await offered(call.deps.sessions, 'sessions').endAllOf(id)
  return answerJson({ id, ended }, 200, { target: `user/${id}`, detail: { username, ended } })
}

export async function removeUser(call: AdminCall): Promise<AdminAnswer> {
  const { id, username } = await readUser(call)
  // First the user, so that no new grant comes between.
  unwrap(await offered(call.deps.users, 'users').remove(id))
  const revoked = await revokeGrants(call, id, 'removed')
  return answerJson({ id, username, removed: true }, 200, {
    target: `user/${id}`,
    detail: { username, revokedGrants: revoked },
  })
}

/** What apps hold in the user's name ends with the user. */
async function revokeGrants({ deps }: AdminCall, userId: string, what: string): Promise<number> {
  return (await deps.grants?.revokeAllOf(userId, `the user was ${what} by an operator`)) ?? 0
}

/** By id or user name: no user name begins as ids do. */
async function readUser({ deps, params }: AdminCall): Promise<UserView> {
  const name = params.id ?? ''
  const users = offered(deps.users, 'users')
  const user = name.startsWith('u_') ? await users.find(name) : await users.findByUsername(name)
  if (user) return user
  throw new AdminProblem(
    404,
    `no user \`${name.slice(0, 100)}\``,
    '`scopegate user list` (GET /users) lists them',
  )
}

const asMember = (notes: readonly UserNote[]) => (notes.length === 0 ? {} : { notes })

function readChanges(members: Record<string, unknown>): UserChanges {
  const roles = readRoles(members.roles)
  const disabled = flag(members, 'disabled')
  return {
    ...(members.username !== undefined && { username: textMember(members, 'username') }),
    ...(members.name !== undefined && { name: textMember(members, 'name') }),
    ...(members.email !== undefined && { email: textOrNull(members, 'email') }),
    ...(members.fhir_user !== undefined && { fhirUser: textOrNull(members, 'fhir_user') }),
    ...(members.locale !== undefined && { locale: textOrNull(members, 'locale') }),
    ...(roles !== undefined && { roles }),
    ...(disabled !== undefined && { disabled }),
  }
}

function textOrNull(members: Record<string, unknown>, name: string): string | null {
  return members[name] === null ? null : textMember(members, name)
}

function readRoles(value: unknown): readonly string[] | undefined {
  if (value === undefined) return undefined
  if (Array.isArray(value) && value.every((role) => typeof role === 'string')) return value
  throw new AdminProblem(400, '`roles` must be a list of texts', 'send [] for none')
}

function flag(members: Record<string, unknown>, name: string): boolean | undefined {
  const value = members[name]
  if (value === undefined || typeof value === 'boolean') return value
  throw new AdminProblem(400, `\`${name}\` must be true or false`)
}

/** Never repeated in an answer. */
function readPassword(members: Record<string, unknown>): string {
  if (typeof members.password === 'string' && members.password !== '') return members.password
  throw new AdminProblem(
    400,
    '`password` must be text and not empty',
    'leave it out to have one made',
  )
}

function unwrap<Value>(answer: UserAnswer<Value>): Value {
  if (answer.ok) return answer
  throw new AdminProblem(answer.status, answer.why, answer.fix)
}

/** The audit tells who could do what; contact data stays out of it. */
function auditable({ username, fhirUser, roles, disabled }: UserView) {
  return { username, roles, disabled, ...(fhirUser !== undefined && { fhirUser }) }
}

function toWire(user: UserView) {
  return {
    id: user.id,
    username: user.username,
    name: user.name,
    ...(user.email !== undefined && { email: user.email }),
    ...(user.fhirUser !== undefined && { fhir_user: user.fhirUser }),
    roles: user.roles,
    disabled: user.disabled,
    ...(user.locale !== undefined && { locale: user.locale }),
    second_factors: user.secondFactors,
    must_change_password: user.mustChangePassword,
    has_password: user.hasPassword,
    created_at: user.createdAt,
  }
}

function sessionToWire(session: UserSessionView) {
  return {
    id: session.id,
    amr: session.amr,
    auth_time: session.authTime,
    seen_at: session.seenAt,
    expires_at: session.expiresAt,
    ...(session.address !== undefined && { address: session.address }),
    ...(session.device !== undefined && { device: session.device }),
  }
}
