/**
 * Emits `dist` for every package and app, so that their packed tarballs run where Node does not
 * strip types (under node_modules).
 *
 *   npm run build
 *   npm run build -- --pack FOLDER    also packs a tarball of each into FOLDER
 *   npm run build -- --check          also installs the tarballs into an empty project and runs it
 */
import { spawnSync } from 'node:child_process'
import {
  copyFileSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const args = process.argv.slice(2)
const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm'
const folders = inOrder(
  globSync('{packages,apps}/*/package.json', { cwd: root })
    .map(dirname)
    .filter((folder) => readdirSync(join(root, folder, 'src')).length > 0)
    .sort(),
)

for (const folder of folders) emit(folder)
console.log(`built ${folders.length} packages`)

const packFlag = args.indexOf('--pack')
if (packFlag !== -1) pack(resolve(args[packFlag + 1] ?? 'dist'))
if (args.includes('--check')) checkInstalled()

interface Manifest {
  readonly name: string
  readonly version: string
  readonly dependencies?: Readonly<Record<string, string>>
}

function readManifest(folder: string): Manifest {
  return JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'))
}

/** Each package after those it depends on: types come from their declarations. */
function inOrder(all: readonly string[]): string[] {
  const byName = new Map(all.map((folder) => [readManifest(folder).name, folder]))
  const ordered = new Set<string>()
  const visit = (folder: string) => {
    if (ordered.has(folder)) return
    for (const name of Object.keys(readManifest(folder).dependencies ?? {})) {
      const dependency = byName.get(name)
      if (dependency) visit(dependency)
    }
    ordered.add(folder)
  }
  all.forEach(visit)
  return [...ordered]
}

function emit(folder: string): void {
  const dist = join(root, folder, 'dist')
  rmSync(dist, { recursive: true, force: true })
  const project = join(root, folder, 'tsconfig.build.tmp.json')
  writeFileSync(
    project,
    JSON.stringify({
      extends: '../../tsconfig.json',
      compilerOptions: {
        noEmit: false,
        rootDir: 'src',
        outDir: 'dist',
        declaration: true,
        rewriteRelativeImportExtensions: true,
        sourceMap: true,
        // `npm run check` judges types; this only emits.
        noCheck: true,
        // The sources of other packages are found by their built declarations.
        customConditions: [],
      },
      include: ['src'],
      exclude: ['src/**/*.test.ts', 'src/**/*.fixture.ts', 'src/**/test-support', 'dist'],
    }),
  )
  try {
    run(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', project], root)
  } finally {
    rmSync(project)
  }
}

function pack(folder: string): string[] {
  mkdirSync(folder, { recursive: true })
  const paths = folders.map((path) => `./${path}`)
  run(npm, ['pack', '--pack-destination', folder, '--loglevel=error', ...paths], root)
  return readdirSync(folder)
    .filter((name) => name.endsWith('.tgz'))
    .map((name) => join(folder, name))
}

function checkInstalled(): void {
  const project = mkdtempSync(join(tmpdir(), 'scopegate-pack-'))
  try {
    const tarballs = pack(join(project, 'tarballs'))
    const dependencies = Object.fromEntries(
      folders.map((path) => {
        const { name, version } = JSON.parse(readFileSync(join(root, path, 'package.json'), 'utf8'))
        const file = `${name.replace('@', '').replace('/', '-')}-${version}.tgz`
        if (!tarballs.some((tarball) => tarball.endsWith(`/${file}`))) {
          throw new Error(`${path} was packed under another name than ${file}`)
        }
        return [name, `file:tarballs/${file}`]
      }),
    )
    writeFileSync(
      join(project, 'package.json'),
      JSON.stringify({ private: true, dependencies, overrides: dependencies }),
    )
    run(
      npm,
      ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'],
      project,
    )
    const shim = join(project, 'node_modules/scopegate/bin/scopegate.mjs')
    for (const command of [
      ['--version'],
      ['config', 'check'],
      ['sample', '--out', 'sample.ndjson'],
    ]) {
      run('node', [shim, ...command], project)
    }
    copyFileSync(join(root, 'tools/try-token-broker.mjs'), join(project, 'try-token-broker.mjs'))
    run('node', ['try-token-broker.mjs'], project)
    console.log(
      'installed from tarballs into an empty project: scopegate runs, @scopegate/token-broker gets a token',
    )
  } finally {
    rmSync(project, { recursive: true, force: true })
  }
}

function run(command: string, parameters: readonly string[], cwd: string): void {
  const result = spawnSync(command, parameters, { cwd, encoding: 'utf8' })
  if (result.status === 0) return
  console.error(`${command} ${parameters.join(' ')}\n${result.stdout ?? ''}${result.stderr ?? ''}`)
  process.exit(1)
}
