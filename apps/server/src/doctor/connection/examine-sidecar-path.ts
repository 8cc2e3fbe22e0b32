import { checkRequestTarget } from '@scopegate/http'
import { allowPaths } from '@scopegate/token-broker'
import { pass, warn } from '../finding.ts'
import type { Step } from './connection-doctor.ts'

/** Where `/out/<connection>` leads, as it is written. */
export interface SidecarReach {
  readonly upstream: string
  /** Missing or empty: everything below it. */
  readonly paths?: readonly string[]
}

/**
 * Whether the sidecar would take a request to an address of its upstream: the token alone may be good
 * where `paths` lets nobody through. Methods are not looked at.
 *
 * @returns nothing for an address that the sidecar does not lead to, or that is none.
 */
export function examineSidecarPath(
  address: string,
  { upstream, paths = [] }: SidecarReach,
): readonly Step[] {
  const [url, base] = [URL.parse(address), URL.parse(upstream)]
  if (url === null || base === null || url.origin !== base.origin) return []
  const prefix = base.pathname.replace(/\/+$/, '')
  const isBelow = url.pathname === prefix || url.pathname.startsWith(`${prefix}/`)
  if (!isBelow) return []
  const target = checkRequestTarget(url.pathname.slice(prefix.length) || '/')
  if (!target.ok) {
    const fix = 'write the path without it: the sidecar refuses what servers read in different ways'
    return [warn('sidecar', `it would refuse this address: ${target.problem}`, fix)]
  }
  const path = target.originForm
  if (paths.length === 0) return [pass('sidecar', 'it would take this path: `paths` is not set')]
  const entry = paths.find((one) => allowPaths([one]).allows(path))
  if (entry !== undefined)
    return [pass('sidecar', `it would take this path: \`${entry}\` allows it`)]
  const known = paths.map((one) => `\`${one}\``).join(', ')
  return [
    warn(
      'sidecar',
      `it would refuse \`${path.slice(0, 200)}\`: \`paths\` allows ${known}`,
      'add the path to `paths` of the connection if callers are to reach it: `/Patient/*` is all below, `{id}` one segment',
    ),
  ]
}
