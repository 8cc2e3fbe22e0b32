import { type ClientView, checkLaunchContext, LAUNCH_CONTEXT_MEMBERS } from '@scopegate/oauth-model'
import { type AdminAnswer, type AdminCall, answerJson, offered } from '../call.ts'
import { AdminProblem } from '../problem.ts'
import { readJsonObject, refuseUnknown, textMember } from '../read-json.ts'
import { findUser } from './find-user.ts'

const OWN_MEMBERS = ['client_id', 'user', 'expires_in']
const MAX_SECONDS = 300

/** Makes the handle that an EHR launches an app with. @see SMART App Launch 2.2: EHR launch */
export async function createLaunch({ deps, request }: AdminCall): Promise<AdminAnswer> {
  const members = await readJsonObject(request)
  refuseUnknown(members, [...OWN_MEMBERS, ...LAUNCH_CONTEXT_MEMBERS])
  const client = await findLaunched(deps, members)
  const context = readContext(members)
  const userId = await findLaunchedUser(deps, members)
  const seconds = readSeconds(members.expires_in)
  const { launch, expiresAt } = await offered(deps.launches, 'launches').create({
    ...(client && { clientId: client.clientId }),
    ...(userId !== undefined && { userId }),
    context,
    ...(seconds !== undefined && { seconds }),
  })
  return answerJson(
    {
      launch,
      expires_in: Math.max(0, Math.round(expiresAt - deps.nowMs() / 1000)),
      iss: deps.addresses.fhir,
      ...(client?.launchUrl !== undefined && {
        launch_url: launchUrl(client.launchUrl, deps.addresses.fhir, launch),
      }),
    },
    201,
    {
      target: client ? `client/${client.clientId}` : 'launch',
      // Which patient is in the handle; the entry names what was chosen, never the ids.
      detail: { context: Object.keys(context), user: userId ?? null },
    },
  )
}

async function findLaunched(
  deps: AdminCall['deps'],
  members: Record<string, unknown>,
): Promise<ClientView | undefined> {
  if (members.client_id === undefined) {
    if (deps.launchAnyClient === true) return undefined
    throw new AdminProblem(
      400,
      '`client_id` is missing: a launch is for one client',
      'name the client that is launched, with `--client` or `client_id`; `scopegate client list` (GET /clients) lists them',
    )
  }
  const clientId = textMember(members, 'client_id')
  const client = await deps.clients.find(clientId)
  if (!client || client.source === 'internal') {
    throw new AdminProblem(
      404,
      `no client \`${clientId}\``,
      '`scopegate client list` (GET /clients) lists them',
    )
  }
  if (client.disabled) {
    throw new AdminProblem(409, `client \`${clientId}\` is disabled`, 'enable it first')
  }
  if (!client.scopes.split(' ').includes('launch')) {
    throw new AdminProblem(
      409,
      `client \`${clientId}\` is not registered for the scope \`launch\``,
      `add it to the scopes of the client: \`scopegate client set ${clientId} --scopes "${client.scopes} launch"\``,
    )
  }
  return client
}

async function findLaunchedUser(
  deps: AdminCall['deps'],
  members: Record<string, unknown>,
): Promise<string | undefined> {
  if (members.user === undefined) return undefined
  const name = textMember(members, 'user')
  const user = await findUser(deps, name)
  if (!user) {
    throw new AdminProblem(
      404,
      `no user \`${name.slice(0, 100)}\``,
      '`scopegate user list` (GET /users) lists them',
    )
  }
  if (!user.disabled) return user.id
  throw new AdminProblem(409, `user \`${user.username}\` is disabled`, 'enable them first')
}

function readContext(members: Record<string, unknown>) {
  const own = Object.entries(members).filter(
    ([name, value]) => !OWN_MEMBERS.includes(name) && value !== null,
  )
  const checked = checkLaunchContext(Object.fromEntries(own))
  if (checked.ok) return checked.context
  throw new AdminProblem(
    400,
    checked.problems.map(({ member, why }) => `${member}: ${why}`).join('; '),
    checked.problems.map(({ fix }) => fix).join('; '),
  )
}

function readSeconds(value: unknown): number | undefined {
  if (value === undefined) return undefined
  if (Number.isInteger(value) && Number(value) >= 1 && Number(value) <= MAX_SECONDS) {
    return Number(value)
  }
  throw new AdminProblem(400, `\`expires_in\` must be a whole number from 1 to ${MAX_SECONDS}`)
}

function launchUrl(base: string, iss: string, launch: string): string {
  const url = new URL(base)
  url.searchParams.set('iss', iss)
  url.searchParams.set('launch', launch)
  return url.href
}
