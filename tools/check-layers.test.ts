import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { checkLayers } from './check-layers.ts'

function workspace(files: Record<string, string>): string {
  const root = mkdtempSync(join(tmpdir(), 'layers-'))
  for (const [file, text] of Object.entries({ 'package.json': '{"name":"w"}', ...files })) {
    mkdirSync(dirname(join(root, file)), { recursive: true })
    writeFileSync(join(root, file), text)
  }
  return root
}

const manifest = (name: string, ...dependencies: string[]) =>
  JSON.stringify({ name, dependencies: Object.fromEntries(dependencies.map((d) => [d, '1'])) })

for (const [name, files, expected] of [
  [
    'an adapter may not import a service',
    {
      'packages/http/package.json': manifest('@scopegate/http', '@scopegate/admin-api'),
      'packages/http/src/index.ts': `import { x } from '@scopegate/admin-api'\n`,
    },
    /http \(adapters\) may not import @scopegate\/admin-api \(services\)/,
  ],
  [
    'services never import each other',
    {
      'packages/admin-api/package.json': manifest(
        '@scopegate/admin-api',
        '@scopegate/fhir-endpoint',
      ),
      'packages/admin-api/src/index.ts': `export { x } from '@scopegate/fhir-endpoint'\n`,
    },
    /may not import @scopegate\/fhir-endpoint/,
  ],
  [
    'a package is imported by its name only',
    {
      'packages/http/package.json': manifest('@scopegate/http'),
      'packages/http/src/index.ts': `import { x } from '../../checks/src/index.ts'\n`,
    },
    /leaves the package/,
  ],
  [
    'an import that package.json does not name is found',
    {
      'packages/http/package.json': manifest('@scopegate/http'),
      'packages/http/src/index.ts': `import { Hono } from 'hono'\n`,
    },
    /imports hono, which packages\/http\/package.json does not name/,
  ],
  [
    'a dependency that nothing imports is found',
    {
      'packages/http/package.json': manifest('@scopegate/http', 'hono'),
      'packages/http/src/index.ts': `export const x = 1\n`,
    },
    /names hono, never imported/,
  ],
  [
    'the pure row has no clock',
    {
      'packages/checks/package.json': manifest('@scopegate/checks'),
      'packages/checks/src/index.ts': `export const now = () => Date.now()\n`,
    },
    /pure packages may not use `Date.now`/,
  ],
  [
    'a package outside the table is found',
    { 'packages/x/package.json': manifest('@scopegate/x') },
    /in no row/,
  ],
] as const) {
  test(name, (t) => {
    const root = workspace(files as Record<string, string>)
    t.after(() => rmSync(root, { recursive: true }))
    const problems = checkLayers(root)
    assert.equal(problems.length, 1, problems.join('\n'))
    assert.match(problems[0]!, expected)
  })
}

test('imports that point down are fine', (t) => {
  const root = workspace({
    'packages/admin-api/package.json': manifest('@scopegate/admin-api', '@scopegate/http'),
    'packages/admin-api/src/index.ts': `import type { Handler } from '@scopegate/http'\nimport './x.ts'\n`,
  })
  t.after(() => rmSync(root, { recursive: true }))
  assert.deepEqual(checkLayers(root), [])
})
