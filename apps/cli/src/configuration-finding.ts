import type { ConfigProblem } from '@scopegate/server'

/** A problem of the configuration as the doctor tells what it found. */
export function configurationFinding({ file, line, path, why, fix }: ConfigProblem) {
  const at = line === undefined ? file : `${file}:${line}`
  return {
    subject: 'configuration',
    check: path || 'file',
    outcome: 'fail',
    found: `${at}: ${why}`,
    ...(fix && { fix }),
  } as const
}
