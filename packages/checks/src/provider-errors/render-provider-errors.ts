import type { ProviderErrorRow } from './provider-error.ts'
import { PROVIDER_ERROR_CHAPTERS } from './provider-errors.ts'
import type { ProviderErrorKind, ProviderSignal } from './provider-signal.ts'

const KINDS: Readonly<Record<ProviderErrorKind, string>> = {
  configuration: 'a setting here is wrong; asked again after a change, and at long intervals',
  administration: 'an administrator there must allow something; asked again as above',
  'sign-in': 'a user must sign in again',
  temporary: 'passes by itself; tried again at growing intervals, a valid token goes on',
  rate: 'asked too often; waits as long as told',
  clock: 'the clocks differ',
  network: 'no answer came; tried again at growing intervals, a valid token goes on',
  permission: 'the token is good, the resource does not allow it',
}

/** The catalogue as the text of docs/provider-errors.md; changes exactly when it does. */
export function renderProviderErrorsMarkdown(): string {
  const lines = [
    '# What providers say, and what helps',
    '',
    'Made from `packages/checks/src/provider-errors/`. The code stands in `lastFailure` of a connection (`scopegate connection show`), in problem answers of the sidecar',
    'and in `scopegate doctor connection`. Texts of providers are shown, and used for nothing but finding the row. Words in italics are filled in from the failure.',
    '',
    '| Kind | Meaning |',
    '| --- | --- |',
    ...Object.entries(KINDS).map(([kind, meaning]) => `| \`${kind}\` | ${meaning} |`),
    ...PROVIDER_ERROR_CHAPTERS.flatMap(([title, rows]) => [
      '',
      `## ${title}`,
      ...Object.entries<ProviderErrorRow>(rows).flatMap(([code, row]) => [
        '',
        `### ${code}`,
        '',
        ...section(row),
      ]),
    ]),
  ]
  return `${lines.join('\n')}\n`
}

function section(row: ProviderErrorRow): string[] {
  return [
    `\`${row.kind}\` · ${sentence(row.cause)}`,
    '',
    `- To do: ${sentence(row.fix)}`,
    ...(row.refine ?? []).map(
      ({ if: fact, kind, cause, fix }) =>
        `- If ${fact.replaceAll('-', ' ')}${kind ? ` (\`${kind}\`)` : ''}: ${[cause, fix]
          .filter((text) => text !== undefined)
          .map(sentence)
          .join(' ')}`,
    ),
    ...[...new Set(row.examples.map(seen))].map((text) => `- Seen: ${text}`),
  ]
}

/** An example as it stands in a log, for those who search for it. */
function seen(signal: ProviderSignal): string {
  const { status, error, description, errorUri, nodeCode, finding } = signal
  const parts = [
    status === undefined ? [] : [String(status)],
    error === undefined ? [] : [`\`${error}\``],
    description === undefined ? [] : [description.replace(/ Trace ID: .*/, '')],
    errorUri === undefined
      ? []
      : [`\`${decodeURIComponent(errorUri).replace(/\/instances.*/, '')}\``],
    nodeCode === undefined ? [] : [`\`${nodeCode}\``],
    finding === undefined ? [] : [`found here (\`${finding}\`)`],
  ]
  return parts.flat().join(' · ')
}

/** What is filled in per failure stands in italics. */
function sentence(text: string): string {
  const shown = text.replaceAll(/`?\{(\w+)\}`?/g, '*$1*')
  return `${shown[0]!.toUpperCase()}${shown.slice(1)}.`
}
