import { constants, type Stats } from 'node:fs'
import { access, stat, statfs } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Config } from '../config.ts'
import { type Examination, fail, pass, reasonOf, type Told, warn } from './finding.ts'

const GIGABYTE = 1024 ** 3

/** The data directory and the master key: there, ours alone, with room. */
export function examineFiles(config: Config): Examination {
  return {
    subject: 'files',
    isRemote: false,
    examine: async () => [
      ...(await examineFolder(config.dataDir)),
      ...(config.masterKeys === undefined ? await examineMasterKey(config.masterKeyFile) : []),
    ],
  }
}

async function examineFolder(dir: string): Promise<readonly Told[]> {
  const found = await statOf(dir)
  if (found !== undefined && !found.isDirectory()) {
    return [fail('data directory', `${dir} is a file`, 'name a directory with storage.dir')]
  }
  const place = found === undefined ? await existingAbove(dir) : dir
  try {
    await access(place, constants.R_OK | constants.W_OK | constants.X_OK)
  } catch (error) {
    const fix = `let the user of this process write there, or choose another with storage.dir`
    return [fail('data directory', `${place}: ${reasonOf(error)}`, fix)]
  }
  const told: Told[] = []
  if (found === undefined) told.push(pass('data directory', `${dir} will be made`))
  else if (isOpenToOthers(found)) {
    told.push(
      warn(
        'data directory',
        `${dir} is open to other users (${modeOf(found)})`,
        `chmod 700 ${dir}`,
      ),
    )
  } else told.push(pass('data directory', dir))
  const { bavail, bsize, blocks } = await statfs(place)
  const freeBytes = bavail * bsize
  const share = blocks === 0 ? 1 : bavail / blocks
  const free = `${(freeBytes / GIGABYTE).toFixed(1)} GB free`
  const fix =
    'make room, or move the data directory (scopegate move); writing stops when the disk is full'
  if (freeBytes < 0.2 * GIGABYTE) told.push(fail('disk', free, fix))
  else if (freeBytes < GIGABYTE || share < 0.05) told.push(warn('disk', free, fix))
  else told.push(pass('disk', free))
  return told
}

async function examineMasterKey(file: string): Promise<readonly Told[]> {
  const found = await statOf(file)
  if (found === undefined) return [pass('master key', 'will be made at the first start')]
  try {
    await access(file, constants.R_OK)
  } catch (error) {
    const fix = 'let the user of this process read it, and nobody else'
    return [fail('master key', `${file}: ${reasonOf(error)}`, fix)]
  }
  return isOpenToOthers(found)
    ? [warn('master key', `${file} is open to other users (${modeOf(found)})`, `chmod 600 ${file}`)]
    : [pass('master key', file)]
}

function isOpenToOthers({ mode }: Stats): boolean {
  return process.platform !== 'win32' && (mode & 0o077) !== 0
}

function modeOf({ mode }: Stats): string {
  return (mode & 0o777).toString(8)
}

async function statOf(path: string): Promise<Stats | undefined> {
  try {
    return await stat(path)
  } catch {
    return undefined
  }
}

async function existingAbove(path: string): Promise<string> {
  const above = dirname(path)
  return above === path || (await statOf(above)) !== undefined ? above : existingAbove(above)
}
