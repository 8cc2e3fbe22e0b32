import type { Environment } from '@scopegate/server/environment'

/** What a command may touch of the outside; tests pass their own. */
export interface CliContext {
  readonly environment: Environment
  readonly cwd: string
  readonly stdin: NodeJS.ReadableStream
  readonly stdout: NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number }
  readonly stderr: NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number }
}

/** Text for people, or the value with `--json`. */
export function print(context: CliContext, json: boolean, value: unknown, text: string): void {
  const out = json ? JSON.stringify(value, null, 2) : text
  if (out !== '') context.stdout.write(`${out}\n`)
}

/** A table without lines: columns as wide as they need to be. */
export function formatTable(header: readonly string[], rows: readonly (readonly string[])[]) {
  const widths = header.map((name, column) =>
    Math.max(name.length, ...rows.map((row) => row[column]?.length ?? 0)),
  )
  return [header, ...rows]
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}
