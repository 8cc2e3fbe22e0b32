import { isResourceType, RESOURCE_TYPES } from '@scopegate/fhir-model'
import { checkBasicScopes } from './check-basic-scopes.ts'
import { checkClients } from './check-clients.ts'
import type { ConfiguredApi } from './configured-api.ts'
import { didYouMean } from './did-you-mean.ts'
import type { ReferenceReader } from './reference-reader.ts'
import type { Settings } from './settings.ts'

/** What refers to something else in the file must find it, once. */
export function checkNames(
  settings: Settings,
  apis: readonly ConfiguredApi[],
  reader: ReferenceReader,
): void {
  const issuers = settings.issuers.map(({ issuer }) => issuer)
  const own = settings.server.url.replace(/\/+$/, '')
  const known = ['self', ...issuers]
  for (const [index, issuer] of issuers.entries()) {
    if (issuer.replace(/\/+$/, '') !== own) continue
    reader.complain(['issuers', index, 'issuer'], 'this server itself: its keys are its own', {
      fix: 'leave it out; endpoints trust it as `self`',
    })
  }
  for (const [index, trusted] of settings.fhir.r4.trust.entries()) {
    if (known.includes(trusted)) continue
    const meant = didYouMean(trusted, known)
    reader.complain(['fhir', 'r4', 'trust', index], `no such issuer: \`${trusted}\``, {
      fix: meant ? `did you mean \`${meant}\`?` : 'list it under `issuers`, or trust `self`',
    })
  }
  for (const type of Object.keys(settings.fhir.r4.sharedTypes)) {
    if (isResourceType(type)) continue
    const meant = didYouMean(type, RESOURCE_TYPES)
    reader.complain(['fhir', 'r4', 'sharedTypes', type], 'not a resource type of FHIR R4', {
      fix: meant ? `did you mean \`${meant}\`?` : 'name a resource type, such as `Organization`',
    })
  }
  checkBasicScopes(settings, reader)
  checkClients(settings, apis, reader)
  for (const [list, key, names] of [
    ['issuers', 'issuer', issuers],
    ['clients', 'id', settings.clients.map(({ id }) => id)],
  ] as const) {
    for (const [index, name] of names.entries()) {
      if (names.indexOf(name) < index) {
        reader.complain([list, index, key], `\`${name}\` is there twice`, { fix: 'remove one' })
      }
    }
  }
}
