import {
  type ConfiguredConnection,
  compileConnections,
} from '../../config/configured-connection.ts'
import { type Examination, pass, type Told } from '../finding.ts'
import { examineCredential } from './examine-credential.ts'
import { examineMetadata } from './examine-metadata.ts'
import { examineRoute } from './examine-route.ts'

/**
 * What can be said of a connection without asking for a token: its credential, the way to the
 * provider, discovery. `scopegate doctor connection` goes on from there.
 */
export function examineWithoutToken(
  configured: ConfiguredConnection,
  environment: Readonly<Record<string, string | undefined>>,
  nowMs: () => number,
): Examination {
  return {
    subject: `connection ${configured.name}`,
    isRemote: true,
    async examine(signal) {
      const [connection] = compileConnections([configured], { signerNamed: notHere })
      if (connection === undefined) return []
      const credential =
        configured.keyName === undefined
          ? await examineCredential(connection, nowMs)
          : [pass('key', `\`${configured.keyName}\`, kept by the server that runs`)]
      const address = connection.tokenEndpoint ?? connection.metadataUrls[0]
      if (address === undefined) return credential.map(asTold)
      const options = { environment, nowMs, signal }
      const route = await examineRoute(connection, address, options)
      const isReached = route.every(({ outcome }) => outcome !== 'fail')
      const metadata = isReached ? (await examineMetadata(connection, options)).steps : []
      return [...credential, ...route, ...metadata].map(asTold)
    },
  }
}

function asTold({ kind: _, ...told }: Told & { readonly kind?: string }): Told {
  return told
}

async function notHere(name: string): Promise<never> {
  throw new Error(`key \`${name}\` is kept by the server that runs`)
}
