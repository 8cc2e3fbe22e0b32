import type { Command } from 'commander'
import { formatCliError } from '../cli-error.ts'
import { connectAdmin } from '../connection/admin-client.ts'
import type { CliContext } from '../context.ts'
import { formatTable, print } from '../context.ts'
import { type FileReport, importFile, type TypeCounts } from '../import/import-file.ts'
import { createProgressBar } from '../import/progress-bar.ts'

export function addImport(program: Command, context: CliContext): void {
  program
    .command('import')
    .description('Import resources: NDJSON, gzipped NDJSON, Bundles')
    .argument('<file...>', 'files to import')
    .option('--url <url>', 'the server (default: the one this user started last)')
    .option('--json', 'print the report as JSON')
    .addHelpText(
      'after',
      `
Ids are kept. Importing the same again changes nothing, so an import that broke off is resumed by
running it again. A line that is refused is printed with its number and reason, and the rest goes on.

Examples:
  scopegate import patients.ndjson
  scopegate import synthea/*.ndjson.gz
  scopegate import bundle.json --json
  scopegate import more.ndjson --url http://127.0.0.1:9000

Exit code: 0 all in, 1 something was refused or a file is not whole.`,
    )
    .action(async (files: string[], options: { url?: string; json?: boolean }) => {
      const json = options.json === true
      const reports: FileReport[] = []
      for (const file of files) {
        // A token per file: importing many large files may outlive one.
        const admin = await connectAdmin(context, options.url, 'admin/import.write')
        const bar = createProgressBar(context, () => performance.now())
        const report = await importFile(admin, file, bar, (refusal) => {
          if (json) return
          const entry = refusal.entry === undefined ? '' : ` entry[${refusal.entry}]`
          const name = [refusal.type, refusal.id].filter(Boolean).join('/')
          bar.say(`${file}:${refusal.line}${entry}: ${name ? `${name}: ` : ''}${refusal.why}`)
        })
        bar.clear()
        reports.push(report)
        if (report.problem && !json) {
          context.stderr.write(`${formatCliError(report.problem, false)}\n`)
        }
      }
      print(context, json, toJson(reports), toText(reports))
      if (reports.some(({ refused, problem }) => refused > 0 || problem)) process.exitCode = 1
    })
}

function totals(reports: readonly FileReport[]): Record<string, TypeCounts> {
  const all: Record<string, { in: number; unchanged: number; refused: number }> = {}
  for (const { types } of reports) {
    for (const [type, counts] of Object.entries(types)) {
      all[type] ??= { in: 0, unchanged: 0, refused: 0 }
      all[type].in += counts.in
      all[type].unchanged += counts.unchanged
      all[type].refused += counts.refused
    }
  }
  return Object.fromEntries(Object.entries(all).sort(([a], [b]) => (a < b ? -1 : 1)))
}

function sum(reports: readonly FileReport[], name: 'in' | 'unchanged' | 'refused' | 'seconds') {
  return reports.reduce((total, report) => total + report[name], 0)
}

function toJson(reports: readonly FileReport[]) {
  return {
    in: sum(reports, 'in'),
    unchanged: sum(reports, 'unchanged'),
    refused: sum(reports, 'refused'),
    seconds: sum(reports, 'seconds'),
    types: totals(reports),
    refusals: reports.flatMap(({ refusals }) => refusals),
    problems: reports.flatMap(({ problem }) =>
      problem
        ? [{ what: problem.message, where: problem.where, why: problem.why, fix: problem.fix }]
        : [],
    ),
  }
}

function toText(reports: readonly FileReport[]): string {
  const number = (count: number) => count.toLocaleString('en')
  const row = (name: string, counts: TypeCounts) => [
    name,
    number(counts.in),
    number(counts.unchanged),
    number(counts.refused),
  ]
  const all = {
    in: sum(reports, 'in'),
    unchanged: sum(reports, 'unchanged'),
    refused: sum(reports, 'refused'),
  }
  const rows = Object.entries(totals(reports)).map(([type, counts]) => row(type, counts))
  const seconds = sum(reports, 'seconds')
  const rate = Math.round((all.in + all.unchanged + all.refused) / Math.max(seconds, 0.001))
  return [
    formatTable(['type', 'in', 'unchanged', 'refused'], [...rows, row('total', all)]),
    '',
    `${seconds.toFixed(1)} s, ${number(rate)} resources/s`,
  ].join('\n')
}
