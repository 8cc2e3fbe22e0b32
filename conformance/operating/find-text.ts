import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'

/** Files below `folder` that contain one of `texts`, with the texts found. Sockets are passed over. */
export function filesContaining(
  folder: string,
  texts: ReadonlyMap<string, string>,
): Map<string, string[]> {
  const found = new Map<string, string[]>()
  for (const name of readdirSync(folder, { recursive: true }) as string[]) {
    const path = join(folder, name)
    if (!statSync(path).isFile()) continue
    const names = textsIn(readFileSync(path), texts)
    if (names.length > 0) found.set(name, names)
  }
  return found
}

/** Names of the texts that occur in `content`. */
export function textsIn(content: Buffer | string, texts: ReadonlyMap<string, string>): string[] {
  return [...texts].filter(([, text]) => content.includes(text)).map(([name]) => name)
}
