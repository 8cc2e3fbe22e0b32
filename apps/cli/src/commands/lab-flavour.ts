import { resolve } from 'node:path'
import { LAB_FLAVOURS, type LabFlavourName, type LabKey, openLabKeys } from '@scopegate/lab'
import { CliError } from '../cli-error.ts'

/** Flavours that a lab issuer goes by; `entra` is `entra-v2` under its name at sign-in. */
export const ISSUER_FLAVOURS = [
  'entra-v2',
  'entra-v1',
  'okta',
  'keycloak',
  'google',
  'auth0',
  'generic',
] as const satisfies readonly LabFlavourName[]

export type IssuerFlavour = (typeof ISSUER_FLAVOURS)[number]

export const DEFAULT_PORT = 9100

/** The private keys of a flavour and the public set beside them, made when missing. */
export function openFlavourKeys(
  cwd: string,
  flavour: IssuerFlavour,
  files: { readonly key?: string | undefined; readonly publicKeys?: string | undefined },
): { readonly keys: readonly LabKey[]; readonly keysFile: string } {
  const name = flavour === 'generic' ? 'lab' : `lab-${flavour}`
  const keysFile = files.publicKeys ?? publicNameOf(files.key) ?? `${name}-keys.json`
  const keys = openLabKeys(
    resolve(cwd, files.key ?? `${name}-private-keys.json`),
    resolve(cwd, keysFile),
    // What the real ones sign with, and all that their presets accept.
    flavour === 'generic' ? 'ES256' : 'RS256',
  )
  return { keys, keysFile }
}

/** Beside other private keys stands another public set: that of the default keys may be trusted. */
function publicNameOf(keyFile: string | undefined): string | undefined {
  return keyFile?.replace(/(?:-private)?(?:-keys)?(?:\.json)?$/, '-keys.json')
}

/** Where the lab of a flavour is when it runs on the default port. */
export function defaultIssuer(flavour: IssuerFlavour): string {
  return flavour === 'generic'
    ? 'http://lab.localhost'
    : `http://127.0.0.1:${DEFAULT_PORT}${LAB_FLAVOURS[flavour].issuerPath}`
}

/** The name if it is in the table. @throws {CliError} with what there is. */
export function oneOf<Name extends string>(
  table: Readonly<Record<Name, unknown>>,
  flag: string,
  name: string,
): Name {
  if (Object.hasOwn(table, name)) return name as Name
  throw new CliError(`${flag}: there is no \`${name}\``, {
    fix: `one of ${Object.keys(table).join(', ')}`,
  })
}

/** A port, or 0 for any that is free. @throws {CliError} */
export function portOf(text: string): number {
  const port = Number(text)
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port
  throw new CliError('--port takes a port', { why: `got \`${text}\`` })
}
