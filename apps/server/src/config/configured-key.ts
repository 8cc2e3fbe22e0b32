import { readFileSync } from 'node:fs'
import {
  type DeclaredKeySet,
  findGrantProblems,
  type KeyMaterial,
  KeyMaterialError,
  keyThumbprint,
  readKeyMaterial,
} from '@scopegate/keys'
import { templateOf } from './claim-template.ts'
import type { Path } from './read-yaml.ts'
import type { ReferenceReader } from './reference-reader.ts'
import type { Settings } from './settings.ts'

type Written = Settings['keys'][number]
type WrittenMaterial = Pick<
  Written,
  'privateKey' | 'pfxFile' | 'passphrase' | 'certificateFile' | 'kid'
>

/** Reads the declared keys: a key that cannot sign is a problem of the configuration. */
export function configuredKeys(
  { keys }: Settings,
  reader: ReferenceReader,
): readonly DeclaredKeySet[] {
  return keys.flatMap((written, index) => {
    const at = ['keys', index]
    if (keys.findIndex(({ name }) => name === written.name) < index) {
      reader.complain([...at, 'name'], `\`${written.name}\` is there twice`, { fix: 'rename one' })
    }
    const current = readMaterial(written, at, written.name, reader)
    const next = written.next && readMaterial(written.next, [...at, 'next'], written.name, reader)
    if (current === undefined) return []
    const algorithms = written.algorithms ?? current.algorithms.slice(0, 1)
    for (const [material, path] of [
      [current, [...at, 'algorithms']],
      [next, [...at, 'next']],
    ] as const) {
      const unable = material && algorithms.find((alg) => !material.algorithms.includes(alg))
      if (unable === undefined) continue
      reader.complain(path, `a key of type ${material?.description} cannot sign with ${unable}`, {
        fix: `it can ${material?.algorithms.join(', ')}`,
      })
    }
    if (next && idOf(next) === idOf(current)) {
      reader.complain([...at, 'next'], 'it is the key that signs now', {
        fix: 'give the key that comes after it, or remove `next` until there is one',
      })
    }
    const grants = written.grants.map((grant, place) => {
      const template = templateOf(grant)
      for (const { path, message, fix } of findGrantProblems(template, algorithms)) {
        reader.complain(
          [...at, 'grants', place, ...path],
          message,
          fix === undefined ? {} : { fix },
        )
      }
      const { client, role = '' } = grant
      const holder =
        client === undefined
          ? ({ kind: 'role', name: role } as const)
          : ({ kind: 'client', name: client } as const)
      return { holder, ...template }
    })
    checkHolders(grants, at, reader)
    const { name, whenExpired } = written
    return [{ name, current, ...(next && { next }), algorithms, whenExpired, grants }]
  })
}

/** What verifiers tell keys apart by. */
function idOf({ kid, publicKey }: KeyMaterial): string {
  return kid ?? keyThumbprint(publicKey)
}

function checkHolders(grants: DeclaredKeySet['grants'], at: Path, reader: ReferenceReader): void {
  const names = grants.map(({ holder: { kind, name } }) => `${kind} \`${name}\``)
  for (const [index, name] of names.entries()) {
    if (names.indexOf(name) === index) continue
    reader.complain([...at, 'grants', index], `${name} has two grants`, { fix: 'make them one' })
  }
}

function readMaterial(
  { privateKey, pfxFile, passphrase, certificateFile, kid }: WrittenMaterial,
  at: Path,
  name: string,
  reader: ReferenceReader,
): KeyMaterial | undefined {
  const problems = reader.problems.length
  const text = reader.secret([...at, 'privateKey'], privateKey, 'private-key')
  const secret = reader.secret([...at, 'passphrase'], passphrase)
  const certificate =
    certificateFile === undefined
      ? undefined
      : reader.file([...at, 'certificateFile'], certificateFile)
  // Notes the file and complains of it; as text it would lose bytes.
  if (pfxFile !== undefined) reader.file([...at, 'pfxFile'], pfxFile)
  if (reader.problems.length > problems) return undefined
  try {
    const material = readKeyMaterial({
      name: pfxFile ?? text?.reference ?? name,
      ...(pfxFile === undefined
        ? { text: text?.reveal() ?? '' }
        : { bytes: readFileSync(reader.path(pfxFile)) }),
      ...(secret && { passphrase: secret.reveal() }),
      ...(certificate !== undefined && { certificate }),
    })
    return kid === undefined ? material : { ...material, kid }
  } catch (error) {
    if (!(error instanceof KeyMaterialError)) throw error
    reader.complain([...at, pfxFile === undefined ? 'privateKey' : 'pfxFile'], error.problem, {
      fix: error.fix ?? 'give another key',
    })
    return undefined
  }
}
