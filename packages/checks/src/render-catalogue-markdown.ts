import { CATALOGUE } from './catalogue.ts'
import { CHECK_ORDER } from './check.ts'
import { fillTemplate } from './fill-template.ts'
import type { Reason } from './reason.ts'

/** The catalogue as the text of docs/errors.md; changes exactly when the catalogue does. */
export function renderCatalogueMarkdown(): string {
  const rows = Object.entries<Reason>(CATALOGUE)
  const lines = [
    '# Reasons for a refusal',
    '',
    'Made from `packages/checks/src/catalogue.ts`. Checks are made in this order; after the first that fails, the rest is skipped.',
    '`scopegate explain` prints them all. Reasons marked *operator* are about data outside the scopes: the caller gets 404, as if there were nothing.',
  ]
  for (const name of CHECK_ORDER) {
    const mine = rows.filter(([, { check }]) => check === name)
    if (mine.length === 0) continue
    lines.push('', `## ${name}`)
    for (const [code, reason] of mine) lines.push('', ...section(code, reason))
  }
  return `${lines.join('\n')}\n`
}

function section(code: string, reason: Reason): string[] {
  const named = { expected: '*expected*', got: '*got*' }
  const answer = [
    String(reason.status),
    reason.oauthError && `\`${reason.oauthError}\``,
    `issue \`${reason.issue}\``,
    reason.audience === 'operator' && '*operator*',
  ].filter((part) => typeof part === 'string')
  return [
    `### ${code}`,
    '',
    `${reason.title} · ${answer.join(' · ')}`,
    '',
    fillTemplate(reason.meaning, named),
    '',
    ...(reason.audience === 'caller'
      ? [`- Caller reads: ${fillTemplate(reason.callerText, named)}`]
      : []),
    `- To do: ${fillTemplate(reason.fix, named)}`,
  ]
}
