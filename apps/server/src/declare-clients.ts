import { registrationOf } from './config/registration-of.ts'
import type { Config } from './config.ts'
import type { SampleClient } from './sample-clients.ts'
import type { Parts } from './wire.ts'

/** The clients of the configuration, and those of the sample: others that were declared go. */
export async function declareClients(
  config: Config,
  { authorizationServer }: Pick<Parts, 'authorizationServer'>,
  sample: readonly SampleClient[],
): Promise<void> {
  await authorizationServer.clients.declare([
    ...sample.map(({ clientId, clientSecret, scopes, purpose }) => ({
      id: clientId,
      name: `Sample: ${purpose}`,
      secrets: [clientSecret],
      scopes,
      grants: ['client_credentials'] as const,
    })),
    ...config.clients.map(({ secrets, jwks, ...client }) => ({
      id: client.id,
      ...registrationOf(client),
      secrets: secrets.map((secret) => secret.reveal()),
      ...(jwks && { jwks }),
    })),
  ])
}
