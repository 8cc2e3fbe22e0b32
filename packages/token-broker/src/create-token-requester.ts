import { beginCode, completeCode } from './interactive/authorization-code.ts'
import { beginDevice, pollDevice } from './interactive/device-code.ts'
import type { SignInRequester } from './interactive/sign-in-requester.ts'
import { askToken } from './request/ask-token.ts'
import { explainFailure } from './request/explain-failure.ts'
import { createRuntimes, type RequesterOptions } from './request/requester-runtime.ts'
import { tokenForm } from './request/token-form.ts'
import type { TokenRequester } from './token-request.ts'

/**
 * Asks token endpoints: builds each request as the connection says, and reads the answer leniently.
 * Keeps between requests the metadata, the DPoP nonce and which secrets were refused; no tokens.
 */
export function createTokenRequester(options: RequesterOptions): TokenRequester & SignInRequester {
  const runtimes = createRuntimes(options)
  return {
    async request(target, { refreshToken, dpopKey, signal }) {
      const { connection } = target
      const needsUser = ['authorization_code', 'device_code', 'refresh_token']
      const refreshes = needsUser.includes(connection.grant)
      if (refreshes && (refreshToken ?? connection.refreshToken) === undefined) {
        const failure = explainFailure(target, { finding: 'sign_in_needed', wasSent: false })
        return { kind: 'failed', failure }
      }
      return await askToken({
        deps: runtimes.deps,
        runtime: runtimes.of(connection),
        target,
        grant: refreshes ? 'refresh_token' : connection.grant,
        makeForm: (form) =>
          tokenForm(target, { ...form, ...(refreshToken !== undefined && { refreshToken }) }),
        ...(dpopKey && { dpopKey }),
        signal,
      })
    },
    beginCode: (target, begin) => beginCode(runtimes, target, begin),
    completeCode: (...given) => completeCode(runtimes, ...given),
    beginDevice: (...given) => beginDevice(runtimes, ...given),
    pollDevice: (...given) => pollDevice(runtimes, ...given),
  }
}
