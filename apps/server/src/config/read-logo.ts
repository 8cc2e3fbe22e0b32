import { readFileSync } from 'node:fs'
import type { Path } from './read-yaml.ts'
import type { ReferenceReader } from './reference-reader.ts'

const MAX_BYTES = 64 * 1024
const PNG = Buffer.from([0x89, 0x50, 0x4e, 0x47])

/** The image as a `data:` URI, so that pages load nothing from elsewhere. */
export function readLogo(
  path: Path,
  name: string | undefined,
  reader: ReferenceReader,
): string | undefined {
  if (name === undefined) return undefined
  // Complains if it is not there.
  if (reader.file(path, name) === '') return undefined
  const bytes = readFileSync(reader.path(name))
  const type = typeOf(bytes)
  if (type === undefined || bytes.length > MAX_BYTES) {
    reader.complain(path, type === undefined ? 'neither PNG nor SVG' : 'larger than 64 kB', {
      fix: 'give a PNG or SVG file of at most 64 kB',
    })
    return undefined
  }
  return `data:${type};base64,${bytes.toString('base64')}`
}

function typeOf(bytes: Buffer): string | undefined {
  if (bytes.subarray(0, 4).equals(PNG)) return 'image/png'
  return /<svg[\s>]/.test(bytes.subarray(0, 1024).toString('utf8')) ? 'image/svg+xml' : undefined
}
