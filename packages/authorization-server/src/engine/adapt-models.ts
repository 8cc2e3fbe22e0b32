import { createHash } from 'node:crypto'
import { type AccessToken, Provider, type Session } from 'oidc-provider'
import type { RequestState } from './engine-deps.ts'

/** The `sid` of a launch in ID and logout tokens: tells nothing, and is the same on every server. */
export function sidOf(grantId: string): string {
  return createHash('sha256').update(`sid ${grantId}`).digest('base64url').slice(0, 22)
}

/** What the engine has no setting for. Each override is a line of the engine's contract. */
export function adaptModels(engine: Provider): void {
  // `offline_access` needs no `prompt=consent` of the app, which SMART apps never send: a user always
  // decides here. The engine drops the scope without it (OpenID Connect Core §11).
  const prompts = Object.getOwnPropertyDescriptor(engine.OIDCContext.prototype, 'prompts')?.get
  if (prompts === undefined) throw new Error('the engine has no prompts any more')
  Object.defineProperty(engine.OIDCContext.prototype, 'prompts', {
    configurable: true,
    get(this: { params?: { scope?: unknown } }) {
      const asked: Set<string> = prompts.call(this)
      // Every page says who is signed in and offers to change.
      asked.delete('select_account')
      const scopes = String(this.params?.scope ?? '').split(' ')
      return scopes.includes('offline_access') && !asked.has('none') ? asked.add('consent') : asked
    },
  })

  // A launch is what a client is signed out of, and the engine's session is one for all launches.
  const { sidFor } = engine.Session.prototype
  engine.Session.prototype.sidFor = function (this: Session, clientId: string, value?: string) {
    if (value !== undefined) return sidFor.call(this, clientId, value)
    const grantId = this.grantIdFor(clientId) as string | undefined
    return grantId === undefined ? '' : sidOf(grantId)
  } as typeof sidFor

  // A refresh may narrow what scopes mean, where the engine only knows lists of strings.
  const { save } = engine.AccessToken.prototype
  engine.AccessToken.prototype.save = function (this: AccessToken, ...args) {
    const { narrowedScope } = (Provider.ctx?.state ?? {}) as Partial<RequestState>
    if (narrowedScope !== undefined) this.scope = narrowedScope
    return save.apply(this, args)
  }
}
