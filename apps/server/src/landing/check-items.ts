import { type AnyCheck, findReason } from '@scopegate/checks'
import { escapeHtml } from '@scopegate/http'

const MARKS = { pass: '✓', fail: '✕', skipped: '·' } as const

/** Checks that were skipped one after another share a line: what matters is what was looked at. */
export function checkItems(checks: readonly AnyCheck[]): readonly string[] {
  const items: string[] = []
  for (let from = 0; from < checks.length; ) {
    let to = from
    while (checks[to]?.outcome === 'skipped') to += 1
    const [first, last] = [checks[from]!, checks[to - 1]]
    if (to - from < 2) items.push(checkItem(first))
    else items.push(checkItem(first, `${first.name} … ${last!.name}`))
    from = Math.max(to, from + 1)
  }
  return items
}

function checkItem(check: AnyCheck, name: string = check.name): string {
  const reason = check.outcome === 'fail' ? findReason(check.code) : undefined
  const compared = [
    check.expected !== undefined && `expected <code>${escapeHtml(check.expected)}</code>`,
    check.got !== undefined && `got <code>${escapeHtml(check.got)}</code>`,
  ].filter((part) => part !== false)
  return `<li class="${check.outcome}"><span class="mark" aria-label="${check.outcome}">${MARKS[check.outcome]}</span><div><b>${escapeHtml(name)}</b>${
    compared.length > 0 ? ` <span>${compared.join(', ')}</span>` : ''
  }${reason ? `<p>${escapeHtml(reason.title)}${check.fix ? `. To do: ${escapeHtml(check.fix)}` : ''}</p>` : ''}</div></li>`
}
