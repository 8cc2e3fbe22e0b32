import { z } from 'zod'
import { settings } from '../config/settings.ts'

interface Node {
  readonly restart?: boolean
  readonly properties?: Readonly<Record<string, Node>>
}

/** Paths of the settings that are read at the start only, such as `server`: all below them too. */
export const RESTART_SETTINGS: readonly string[] = pathsOf(
  z.toJSONSchema(settings, { io: 'input' }) as Node,
  '',
)

export function needsRestart(path: string): boolean {
  return RESTART_SETTINGS.some((each) => path === each || path.startsWith(`${each}.`))
}

function pathsOf({ properties = {} }: Node, at: string): string[] {
  return Object.entries(properties).flatMap(([name, node]) => {
    const path = at === '' ? name : `${at}.${name}`
    return node.restart === true ? [path] : pathsOf(node, path)
  })
}
