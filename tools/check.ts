/**
 * Everything that must hold before a commit, each step named as the claim it checks.
 *
 *   npm run check
 *   npm run check -- --fix     formats, and writes the generated documents, instead of complaining
 */
import { spawnSync } from 'node:child_process'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { checkDocs } from './check-docs.ts'
import { checkFileLengths } from './check-file-lengths.ts'
import { checkLayers } from './check-layers.ts'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const fix = process.argv.includes('--fix')

let failed = 0
await claim('Types hold', () => runNodeTool('typescript/bin/tsc', ['-p', '.']))
await claim('Format and lint hold', () =>
  runNodeTool('@biomejs/biome/bin/biome', [
    ...(fix ? ['check', '--write'] : ['ci']),
    '--colors=off',
    '--max-diagnostics=20',
    '.',
  ]),
)
await claim('Layers hold', () => checkLayers(root))
await claim('Docs are in sync with src', () => checkDocs(root, fix))
for (const warning of checkFileLengths(root)) console.log(`warn  ${warning}`)
process.exit(failed === 0 ? 0 : 1)

async function claim(name: string, check: () => string[] | Promise<string[]>): Promise<void> {
  const startedAt = performance.now()
  const problems = await check()
  const tookMs = Math.round(performance.now() - startedAt)
  console.log(`${problems.length === 0 ? 'ok  ' : 'FAIL'}  ${name}  ${tookMs} ms`)
  for (const problem of problems) console.log(`      ${problem.replaceAll('\n', '\n      ')}`)
  if (problems.length > 0) failed += 1
}

function runNodeTool(script: string, args: readonly string[]): string[] {
  const result = spawnSync(process.execPath, [join(root, 'node_modules', script), ...args], {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  })
  return result.status === 0 ? [] : [`${result.stdout}${result.stderr}`.trim()]
}
