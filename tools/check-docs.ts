import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** Documents made from source: path to its text. Each is committed; this keeps them true. */
async function generatedDocs(): Promise<ReadonlyMap<string, string>> {
  const docs = new Map<string, string>()
  const { renderCatalogueMarkdown, renderProviderErrorsMarkdown } = await import(
    '@scopegate/checks'
  )
  const { configurationMarkdown, configurationSchemaText } = await import('@scopegate/server')
  docs.set('docs/errors.md', renderCatalogueMarkdown())
  docs.set('docs/provider-errors.md', renderProviderErrorsMarkdown())
  docs.set('docs/configuration.md', configurationMarkdown())
  docs.set('docs/scopegate.schema.json', configurationSchemaText())
  return docs
}

/** One line per document that differs from its source; with `write`, brings them in line instead. */
export async function checkDocs(root: string, write: boolean): Promise<string[]> {
  const problems: string[] = []
  for (const [path, text] of await generatedDocs()) {
    const file = join(root, path)
    if (readText(file) === text) continue
    if (write) {
      mkdirSync(dirname(file), { recursive: true })
      writeFileSync(file, text)
    } else {
      problems.push(`${path} is not what the source says: npm run check -- --fix`)
    }
  }
  return problems
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}
