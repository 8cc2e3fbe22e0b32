import { type CauseIssuer, findCauses, guessIssuerKind } from '@scopegate/checks'
import type { Explainer } from '@scopegate/oauth-model'
import type { Config } from '../config.ts'

/** Explains the same, and says what a failure likely comes of with the issuer of the token. */
export function withCauses(explainer: Required<Explainer>, config: Config): Required<Explainer> {
  function kindOf(issuer: string | undefined): CauseIssuer | undefined {
    if (issuer === undefined) return undefined
    if (issuer === config.url) return 'self'
    const known = config.issuers.find(
      (each) => each.issuer === issuer || each.aliases.includes(issuer),
    )
    // What is known as generic may well be recognised by its name.
    const preset = known?.preset === 'generic' ? undefined : known?.preset
    return preset ?? guessIssuerKind(issuer) ?? 'generic'
  }

  return {
    needs: explainer.needs,
    async explain(request) {
      const explanation = await explainer.explain(request)
      const failed = explanation.checks.find(({ outcome }) => outcome === 'fail')
      if (failed === undefined) return explanation
      const { causes, settings } = findCauses(failed.code, kindOf(explanation.issuer))
      // Without a token nobody knows whose it would be: nothing is likely.
      const likely = explanation.issuer === undefined ? [] : causes
      const index = request.path.match(/^https?:/) ? new URL(request.path).pathname : request.path
      const api = config.apis.find(({ path }) => index === path || index.startsWith(`${path}/`))
      return {
        ...explanation,
        ...(likely.length > 0 && { causes: likely }),
        ...(settings.length > 0 && {
          settings: settings
            .filter((each) => !(api ? /^fhir\./ : /^apis\[\]/).test(each))
            .map((each) => (api ? each.replace('apis[]', `apis.${api.name}`) : each)),
        }),
      }
    },
  }
}
