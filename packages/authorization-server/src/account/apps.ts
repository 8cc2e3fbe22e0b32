import type { LaunchGrant } from '../grants/grants.ts'
import { isPatient } from '../interaction/next-step.ts'
import { scopeWords } from '../interaction/scope-words.ts'
import { directoryUser } from '../interaction/visit.ts'
import { ACCOUNT_PATHS, type AppCard, type GrantPart, grantsPage } from '../pages/account-pages.ts'
import type { Form } from '../pages/read-form.ts'
import { type AccountVisit, baseOf, goTo, type Told } from './create-account.ts'

/** Apps with what they may do, the latest first. */
export async function showApps(visit: AccountVisit, told: Told = {}): Promise<void> {
  const { deps, response, frame, signedIn } = visit
  const grants = await deps.grants.listOf(signedIn.user.id)
  const byClient = Map.groupBy(grants, ({ clientId }) => clientId)
  const apps = await Promise.all(
    [...byClient].map(([clientId, given]) => appCard(visit, clientId, given)),
  )
  deps.pages.send(response, grantsPage(frame, { ...baseOf(visit, told), apps }), told.status)
}

async function appCard(
  visit: AccountVisit,
  clientId: string,
  grants: readonly LaunchGrant[],
): Promise<AppCard> {
  const client = await visit.deps.findClient(clientId)
  const site = client?.clientUri === undefined ? undefined : URL.parse(client.clientUri)?.host
  const byPatient = Map.groupBy(grants, ({ context }) => context.patient)
  return {
    clientId,
    appName: client?.name ?? visit.frame.words('account.unknownApp'),
    ...(site === undefined ? {} : { site }),
    parts: await Promise.all([...byPatient].map(([id, given]) => grantPart(visit, id, given))),
  }
}

/** All launches for one patient as one: what they allow together. */
async function grantPart(
  visit: AccountVisit,
  patient: string | undefined,
  grants: readonly LaunchGrant[],
): Promise<GrantPart> {
  const { deps, signedIn, frame } = visit
  const scopes = [...new Set(grants.flatMap((grant) => grant.scopes))]
  const page = { language: frame.words.language, self: isPatient(signedIn) }
  const found =
    patient === undefined
      ? undefined
      : await deps.directory.findPatient(directoryUser(signedIn), patient)
  return {
    ...(patient === undefined ? {} : { patient: found?.name ?? null }),
    titles: scopes
      .filter((scope) => !scope.startsWith('launch'))
      .map((scope) => scopeWords(scope, page, deps.apiScopeTitle(scope)).title),
    offline: scopes.includes('offline_access'),
    since: Math.min(...grants.map(({ createdAt }) => createdAt)),
    lastUsedAt: Math.max(...grants.map(({ lastUsedAt }) => lastUsedAt)),
  }
}

/** Takes back what an app was allowed, remembered consent included. Only the user's own is touched. */
export async function takeRevocation(visit: AccountVisit, form: Form): Promise<void> {
  const { deps, signedIn, correlationId } = visit
  const clientId = form.one('client') ?? ''
  const userId = signedIn.user.id
  await deps.grants.revokeClient(userId, clientId, 'revoked by the user')
  deps.onEvent?.({ kind: 'revoked', correlationId, userId, clientId })
  goTo(visit, ACCOUNT_PATHS.grants, 'revoked')
}
