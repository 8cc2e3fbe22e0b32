import { errors, interactionPolicy, type KoaContextWithOIDC } from 'oidc-provider'

const { Check, Prompt } = interactionPolicy

/**
 * When a user is asked: always, once for each authorization request. What is asked (sign-in, second
 * factor, patient, consent) is for the interaction to decide, which knows the identity session.
 */
export function createInteractionPolicy() {
  const policy = interactionPolicy.base()
  policy.clear()
  policy.add(
    new Prompt(
      { name: 'login', requestable: true },
      new Check('sign_in', 'a user must sign in', 'login_required', async (ctx) => {
        const { result, entities } = (ctx as KoaContextWithOIDC).oidc
        const signedIn = result?.login?.accountId
        if (signedIn === undefined) return Check.REQUEST_PROMPT
        const hinted = (entities as { IdTokenHint?: { payload: { sub?: string } } }).IdTokenHint
        if (hinted !== undefined && hinted.payload.sub !== signedIn) {
          throw new errors.LoginRequired('another user signed in than id_token_hint names')
        }
        return Check.NO_NEED_TO_PROMPT
      }),
    ),
  )
  policy.add(
    new Prompt(
      { name: 'consent', requestable: true },
      new Check('grant', 'a user must decide', 'consent_required', async (ctx) => {
        const { oidc } = ctx as KoaContextWithOIDC
        return oidc.result?.consent?.grantId === undefined
          ? Check.REQUEST_PROMPT
          : Check.NO_NEED_TO_PROMPT
      }),
    ),
  )
  return policy
}

/**
 * The grant of this launch alone. The engine would go on with the one of the launch before, and
 * mix two patients. The request becomes what was granted, down to the categories that were chosen.
 */
export async function loadGrantOfLaunch(ctx: KoaContextWithOIDC) {
  const grantId = ctx.oidc.result?.consent?.grantId
  if (grantId === undefined) return undefined
  const grant = await ctx.oidc.provider.Grant.find(grantId)
  const { params } = ctx.oidc
  if (grant === undefined || params === undefined) return undefined
  params.scope = grant.getResourceScope(String(params.resource))
  return grant
}
