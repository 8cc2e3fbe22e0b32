import type { Problem } from '@scopegate/http'

/** A call that cannot be done as sent; becomes `application/problem+json`. */
export class AdminProblem extends Error {
  readonly problem: Problem
  /** What the call was for, where only its body says so: for the audit. */
  target?: string

  constructor(
    status: number,
    detail: string,
    fix?: string,
    headers?: Readonly<Record<string, string>>,
    members?: Readonly<Record<string, unknown>>,
  ) {
    super(detail)
    this.name = 'AdminProblem'
    this.problem = {
      status,
      detail,
      ...(fix && { fix }),
      ...(headers && { headers }),
      ...(members && { members }),
    }
  }
}
