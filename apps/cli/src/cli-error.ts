/** What a person is told when a command cannot be done: what, where, why, what to do. */
export class CliError extends Error {
  readonly where: string | undefined
  readonly why: string | undefined
  readonly fix: string | undefined
  readonly exitCode: number

  constructor(
    what: string,
    details: {
      readonly where?: string | undefined
      readonly why?: string | undefined
      readonly fix?: string | undefined
      readonly exitCode?: number
    } = {},
  ) {
    super(what)
    this.name = 'CliError'
    this.where = details.where
    this.why = details.why
    this.fix = details.fix
    this.exitCode = details.exitCode ?? 1
  }
}

/** On standard error: lines for people, one JSON object with `--json`. */
export function formatCliError(error: CliError, json: boolean): string {
  const { message: what, where, why, fix } = error
  if (json) return JSON.stringify({ error: { what, where, why, fix } })
  return [
    `scopegate: ${what}`,
    ...(where ? [`  where: ${where}`] : []),
    ...(why ? [`  why:   ${why}`] : []),
    ...(fix ? [`  fix:   ${fix}`] : []),
  ].join('\n')
}
