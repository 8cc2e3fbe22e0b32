/** One thing wrong with the configuration, said so that it can be put right. */
export interface ConfigProblem {
  /** As the user named it; missing when the value came from a flag. */
  readonly file?: string
  readonly line?: number
  /** `fhir.r4.trust[1]`; '' for the whole file. */
  readonly path: string
  readonly why: string
  readonly fix?: string
}

/** The configuration cannot be used; holds every problem, not the first. */
export class ConfigError extends Error {
  readonly problems: readonly ConfigProblem[]

  constructor(problems: readonly ConfigProblem[]) {
    super(['the configuration cannot be used:', ...problems.map(formatProblem)].join('\n'))
    this.name = 'ConfigError'
    this.problems = problems
  }
}

/** `scopegate.yaml:7  fhir.r4.pth: unknown key — did you mean path?` */
export function formatProblem(problem: ConfigProblem): string {
  const where = [problem.file, problem.line].filter((part) => part !== undefined).join(':')
  const what = problem.path === '' ? problem.why : `${problem.path}: ${problem.why}`
  return `  ${where === '' ? '' : `${where}  `}${what}${problem.fix ? `\n      fix: ${problem.fix}` : ''}`
}
