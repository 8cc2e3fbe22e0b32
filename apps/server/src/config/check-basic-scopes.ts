import { parseScopes } from '@scopegate/smart-scopes'
import type { ReferenceReader } from './reference-reader.ts'
import type { Settings } from './settings.ts'

/** A password is a user's: it opens what `user/` scopes mean, and no other scope means anything. */
export function checkBasicScopes({ fhir }: Settings, reader: ReferenceReader): void {
  const { scopes, problems } = parseScopes(fhir.r4.basicScopes)
  const path = ['fhir', 'r4', 'basicScopes']
  for (const { text, problem } of problems) {
    reader.complain(path, `\`${text}\`: ${problem.message}`, { fix: problem.fix })
  }
  for (const scope of scopes) {
    if (scope.kind !== 'plain' && scope.context === 'user') continue
    const name = scope.kind === 'plain' ? scope.value : `${scope.context}/${scope.type}`
    reader.complain(path, `\`${name}\` is no scope of a user`, {
      fix: 'write scopes that begin with `user/`, such as user/*.rs',
    })
  }
}
