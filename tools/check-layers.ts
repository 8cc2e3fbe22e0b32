/**
 * Holds the architecture: imports point down only, a package is imported by its name only, and
 * package.json names exactly what the source imports.
 */
import { globSync, readFileSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { dirname, join, relative, resolve } from 'node:path'

/** Top to bottom. A package may import rows below its own, and what `SIDEWAYS` adds. */
const ROWS: readonly (readonly [row: string, packages: readonly string[]])[] = [
  ['apps', ['scopegate', '@scopegate/server']],
  [
    'services',
    [
      '@scopegate/authorization-server',
      '@scopegate/fhir-endpoint',
      '@scopegate/api-gateway',
      '@scopegate/token-broker',
      '@scopegate/admin-api',
    ],
  ],
  [
    'adapters',
    [
      '@scopegate/http',
      '@scopegate/storage',
      '@scopegate/secrets',
      '@scopegate/keys',
      '@scopegate/upstream',
      '@scopegate/audit',
      '@scopegate/identity',
      '@scopegate/oidc-login',
      '@scopegate/token-verify',
      '@scopegate/fhir-repository',
    ],
  ],
  [
    'pure',
    [
      '@scopegate/checks',
      '@scopegate/fhir-model',
      '@scopegate/smart-scopes',
      '@scopegate/oauth-model',
    ],
  ],
]

/** Imports inside one row: package to what it may import there. */
const SIDEWAYS: Readonly<Record<string, readonly string[]>> = {
  scopegate: ['@scopegate/server'],
  '@scopegate/secrets': ['@scopegate/storage', '@scopegate/http'],
  '@scopegate/keys': ['@scopegate/storage', '@scopegate/http', '@scopegate/secrets'],
  '@scopegate/upstream': ['@scopegate/http'],
  '@scopegate/audit': ['@scopegate/storage', '@scopegate/http', '@scopegate/secrets'],
  '@scopegate/identity': ['@scopegate/storage', '@scopegate/http', '@scopegate/secrets'],
  '@scopegate/oidc-login': ['@scopegate/storage', '@scopegate/http', '@scopegate/secrets'],
  '@scopegate/token-verify': ['@scopegate/storage', '@scopegate/http', '@scopegate/secrets'],
  '@scopegate/fhir-repository': ['@scopegate/storage', '@scopegate/http', '@scopegate/secrets'],
  '@scopegate/fhir-model': ['@scopegate/checks'],
  '@scopegate/smart-scopes': ['@scopegate/checks', '@scopegate/fhir-model'],
  '@scopegate/oauth-model': ['@scopegate/checks'],
}

/** For development; made of the pure row, and imported by apps and by tests only. */
const LAB = '@scopegate/lab'

/** What keeps the pure row pure. */
const IMPURE =
  /\b(Date\.now|new Date\(\)|Math\.random|performance\.now|fetch\(|crypto\.(getRandomValues|randomUUID|randomBytes)|process\.(env|hrtime))/
const PURE_BUILTINS = new Set(['node:assert', 'node:util'])
/** A hash is a function of its input; everything else in there is random or holds keys. */
const HASH_ONLY = /^import \{ createHash \} from 'node:crypto'$/m

interface Manifest {
  readonly name: string
  readonly dependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
  readonly devDependencies?: Readonly<Record<string, string>>
}

/** One line per violation, empty when the layers hold. @param root the workspace. */
export function checkLayers(root: string): string[] {
  const packages = globSync('{packages,apps}/*/package.json', { cwd: root }).sort()
  const workspace = readManifest(join(root, 'package.json'))
  return packages.flatMap((file) => checkPackage(root, dirname(file), workspace))
}

function checkPackage(root: string, folder: string, workspace: Manifest): string[] {
  const manifest = readManifest(join(root, folder, 'package.json'))
  const problems: string[] = []
  const used = new Set<string>()
  const sources = globSync(`${folder}/{src,bin}/**/*.{ts,mjs}`, { cwd: root }).sort()
  for (const file of sources) {
    const text = readFileSync(join(root, file), 'utf8')
    const isTest = /\.(test|fixture)\.ts$|\/(testing|test-support)\//.test(file)
    for (const specifier of importsOf(text.replace(HASH_ONLY, ''))) {
      const complaint = checkImport(root, folder, file, specifier, manifest.name, isTest)
      if (complaint) problems.push(`${file}: ${complaint}`)
      const name = packageName(specifier)
      if (name && name !== manifest.name && !isBuiltin(specifier)) {
        if (!isTest) used.add(name)
        if (!isDeclared(name, manifest, isTest ? workspace : undefined)) {
          problems.push(`${file}: imports ${name}, which ${folder}/package.json does not name`)
        }
      }
    }
    if (rowOf(manifest.name) === 'pure' && !isTest && !file.includes('/generated/')) {
      const impure = IMPURE.exec(text.replaceAll(/^\s*(\/\/|\*|\/\*).*$/gm, ''))
      if (impure) problems.push(`${file}: pure packages may not use \`${impure[0]}\``)
    }
  }
  if (sources.length > 0) {
    for (const name of Object.keys(manifest.dependencies ?? {})) {
      if (!used.has(name)) problems.push(`${folder}/package.json: names ${name}, never imported`)
    }
  }
  if (rowOf(manifest.name) === undefined && manifest.name !== LAB) {
    problems.push(`${folder}: ${manifest.name} is in no row of tools/check-layers.ts`)
  }
  return problems
}

function checkImport(
  root: string,
  folder: string,
  file: string,
  specifier: string,
  importer: string,
  isTest: boolean,
): string | undefined {
  if (specifier.startsWith('.')) {
    const target = relative(join(root, folder), resolve(root, dirname(file), specifier))
    if (target.startsWith('..')) return `\`${specifier}\` leaves the package: import it by name`
    return /\.(ts|mjs|json)$/.test(specifier) ? undefined : `\`${specifier}\` lacks its extension`
  }
  if (rowOf(importer) === 'pure' && !isTest && isBuiltin(specifier)) {
    return PURE_BUILTINS.has(specifier) ? undefined : `pure packages may not use \`${specifier}\``
  }
  const target = packageName(specifier)
  if (target === undefined || target === importer || isTest) return undefined
  if (target === LAB) {
    return rowOf(importer) === 'apps' ? undefined : `${LAB} is for development and for apps only`
  }
  const below = rowIndex(target)
  if (below === -1) return undefined
  if (importer === LAB) {
    return rowOf(target) === 'pure' ? undefined : `${LAB} may import the pure row only`
  }
  if (below > rowIndex(importer) || SIDEWAYS[importer]?.includes(target)) return undefined
  return `${importer} (${rowOf(importer)}) may not import ${target} (${rowOf(target)})`
}

function isDeclared(name: string, manifest: Manifest, workspace: Manifest | undefined): boolean {
  if (workspace) {
    const development = { ...workspace.devDependencies, ...manifest.devDependencies }
    if (name.startsWith('@scopegate/') || name in development) return true
  }
  return name in { ...manifest.dependencies, ...manifest.optionalDependencies }
}

function importsOf(text: string): string[] {
  const pattern =
    /^(?:import|export)\s[^'"]*?from\s+['"]([^'"]+)['"]|^import\s+['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]\s*\)/gm
  return [...text.matchAll(pattern)].map((match) => match[1] ?? match[2] ?? match[3] ?? '')
}

function packageName(specifier: string): string | undefined {
  return /^(@[^/]+\/[^/]+|[^./@][^/]*)/.exec(specifier)?.[1]
}

function rowIndex(name: string): number {
  return ROWS.findIndex(([, packages]) => packages.includes(name))
}

function rowOf(name: string): string | undefined {
  return ROWS[rowIndex(name)]?.[0]
}

function readManifest(file: string): Manifest {
  return JSON.parse(readFileSync(file, 'utf8'))
}
