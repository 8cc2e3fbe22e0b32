/**
 * Runs the tests of the workspace and ends with node's summary.
 *
 *   npm test                     what needs nothing but this machine, within minutes
 *   npm test -- --long           only the files left out above: whole programs, started, killed, moved
 *   npm test -- --all            both
 *   npm test -- storage scopes   only test files whose path contains one of the words
 *   npm test -- storage '!crash' …and does not contain one that stands after a `!`
 *   npm test -- --verbose        every test by name
 *
 * One PostgreSQL serves all files (see `@scopegate/storage/testing`): the one that
 * `SCOPEGATE_TEST_DATABASE_URL` names, else an embedded one that the first file starts. Tests that
 * were skipped are named with their reason.
 */
import { globSync, mkdtempSync, rmSync, statfsSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { Transform } from 'node:stream'
import { run } from 'node:test'
import { spec, type TestEvent } from 'node:test/reporters'
import { fileURLToPath } from 'node:url'

// Of one test. Crash tests take their time for every round.
const TEST_TIMEOUT_MS = (5 + Number(process.env.SCOPEGATE_CRASH_ROUNDS ?? 0)) * 60 * 1000
// A test that has ended may leave something behind that keeps its file: node waits for that for ever.
const realDataMs = process.env.SCOPEGATE_REAL_DATA === undefined ? 0 : 20 * 60 * 1000
process.env.SCOPEGATE_TEST_FILE_LIMIT_MS ??= String(TEST_TIMEOUT_MS + 3 * 60 * 1000 + realDataMs)
const root = dirname(dirname(fileURLToPath(import.meta.url)))
// Every file is a process of its own, which would strip and compile the same sources again.
process.env.NODE_COMPILE_CACHE ??= join(root, 'node_modules', '.cache', 'test-sources')
const memory = process.env.TMPDIR === undefined ? folderInMemory() : undefined
if (memory !== undefined) {
  process.env.TMPDIR = memory
  process.on('exit', () => rmSync(memory, { recursive: true, force: true }))
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1))
}
const verbose = process.argv.includes('--verbose')
const named = process.argv.slice(2).filter((argument) => !argument.startsWith('-'))
const words = named.filter((word) => !word.startsWith('!'))
const unwanted = named.filter((word) => word.startsWith('!')).map((word) => word.slice(1))

/**
 * Files that start whole programs many times, or wait for clocks. Without words to choose by they
 * run when they are asked for; `.ci/run` asks.
 */
const LONG =
  /^(packages\/(storage\/src\/(crash|embedded\.)|token-broker\/src\/broker\/processes)|apps\/cli\/src\/(cli|connection|tls|learn\/learn)\.|conformance\/(operate-|crash|broker-processes|keys-(sign-only|two-servers)|secrets-(rekey|processes)|outside-(proxies|upstreams)|admin-listener|gateway-credentials-end))/
const isAll = process.argv.includes('--all')
const isLongOnly = process.argv.includes('--long')

const found = globSync(['{packages,apps}/*/src/**/*.test.ts', '{tools,conformance}/**/*.test.ts'], {
  cwd: root,
})
  .filter((file) => words.length === 0 || words.some((word) => file.includes(word)))
  .filter((file) => !unwanted.some((word) => file.includes(word)))
const files = found
  .filter((file) => (isLongOnly ? LONG.test(file) : isAll || words.length > 0 || !LONG.test(file)))
  // Long ones first, so that none is left running alone.
  .sort((a, b) => Number(LONG.test(b)) - Number(LONG.test(a)) || (a < b ? -1 : 1))
const leftOut = isLongOnly ? 0 : found.length - files.length
if (files.length === 0) {
  console.error(`test: no test file matches ${named.map((word) => `\`${word}\``).join(', ')}`)
  process.exit(1)
}

const skipped = new Map<string, string>()
let failed = false

const events = run({
  cwd: root,
  files: files.map((file) => `${root}/${file}`),
  // One more than there are cores, since many files wait for other processes.
  concurrency: availableParallelism() + 1,
  execArgv: ['--conditions=source', `--import=${new URL('./end-late-test.ts', import.meta.url)}`],
  timeout: TEST_TIMEOUT_MS,
})
events.on('test:fail', (test) => {
  if (test.todo === undefined || test.todo === false) failed = true
})
events.on('test:pass', (test) => {
  if (test.skip === undefined || test.skip === false) return
  const reason = typeof test.skip === 'string' && test.skip !== '' ? test.skip : 'no reason given'
  skipped.set(`${test.file ? relative(root, test.file) : ''}: ${test.name}`, reason)
})

const report = verbose ? events.compose(spec) : events.pipe(onePerFile()).compose(spec)
report.pipe(process.stdout, { end: false })
report.on('end', () => {
  for (const [name, reason] of skipped) console.log(`skipped ${name}: ${reason}`)
  if (leftOut > 0) console.log(`left out: ${leftOut} long files, \`npm test -- --long\` runs them`)
  process.exit(failed ? 1 : 0)
})

/**
 * Keeps failures and the final summary, and says one line per file. Of a file that failed as a whole,
 * what it wrote to standard error is all that tells why.
 */
function onePerFile(): Transform {
  const written = new Map<string, string>()
  return new Transform({
    objectMode: true,
    transform(event: TestEvent, _encoding, done) {
      if (event.type === 'test:stderr') {
        const { file, message } = event.data
        written.set(file, `${written.get(file) ?? ''}${message}`.slice(-4000))
      }
      if (event.type === 'test:fail' && event.data.name === event.data.file) {
        console.log(`${relative(root, event.data.name)}:\n${written.get(event.data.name) ?? ''}`)
      }
      if (event.type === 'test:fail' || event.type === 'test:diagnostic') return done(null, event)
      if (event.type === 'test:summary' && event.data.file !== undefined) {
        const { counts, duration_ms, file, success } = event.data
        const mark = success ? 'ok  ' : 'FAIL'
        console.log(
          `${mark} ${relative(root, file)}  ${counts.passed} passed${note(counts.tests - counts.passed - counts.skipped - counts.todo, 'failed')}${note(counts.skipped, 'skipped')}  ${Math.round(duration_ms)} ms`,
        )
      }
      done()
    },
  })
}

/**
 * Servers of tests make their databases in the folder for temporary files. Where memory is plenty
 * that is a folder in memory: a disk would make each of them wait for what no test looks at.
 */
function folderInMemory(): string | undefined {
  try {
    const { bavail, bsize } = statfsSync('/dev/shm')
    return bavail * bsize >= 6_000_000_000 ? mkdtempSync('/dev/shm/scopegate-tests-') : undefined
  } catch {
    return undefined
  }
}

function note(count: number, word: string): string {
  return count === 0 ? '' : `, ${count} ${word}`
}
