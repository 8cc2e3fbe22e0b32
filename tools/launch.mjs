// Plain JavaScript for any Node >= 18: installs what is missing, then runs a script of the
// workspace with a Node that is new enough.
//
//   node tools/launch.mjs tools/test.ts …
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { chooseNode } from '../apps/cli/bin/choose-node.mjs'
import { runNode } from '../apps/cli/bin/run-node.mjs'
import { ensureInstalled } from './ensure-installed.mjs'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const [script, ...args] = process.argv.slice(2)
if (!script) fail('launch: which script? node tools/launch.mjs <script> [arguments]')

const problem = await ensureInstalled(root)
if (problem) fail(problem)

const node = chooseNode(pathToFileURL(join(root, 'package.json')).href)
if ('problem' in node) fail(node.problem)
runNode(node.path, ['--conditions=source', resolve(root, script), ...args])

function fail(text) {
  process.stderr.write(`${text}\n`)
  process.exit(1)
}
