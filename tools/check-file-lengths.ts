import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const LONG_LINES = 300

/** Names source files that have outgrown one idea. Generated code, data tables and tests are exempt. */
export function checkFileLengths(root: string): string[] {
  return globSync('{packages,apps}/*/{src,bin}/**/*.{ts,mjs}', { cwd: root })
    .concat(globSync('tools/**/*.{ts,mjs}', { cwd: root }))
    .filter((file) => !/\/generated\/|\.test\.ts$|-table\.ts$/.test(file))
    .map((file) => ({ file, lines: readFileSync(join(root, file), 'utf8').split('\n').length }))
    .filter(({ lines }) => lines > LONG_LINES)
    .map(({ file, lines }) => `${file} has ${lines} lines (more than ${LONG_LINES})`)
}
