import { type Clause, searchParameter } from '@scopegate/fhir-model'

export type ParsedScopeConstraint =
  | { readonly ok: true; readonly clauses: readonly Clause[] }
  | { readonly ok: false; readonly problem: { readonly message: string; readonly fix: string } }

/** Token parameters only, until fhir-model parses the constraints of scopes. */
export function parseScopeConstraint(type: string, text: string): ParsedScopeConstraint {
  const clauses: Clause[] = []
  for (const part of text.split('&')) {
    const [name = '', encoded = ''] = part.split('=', 2)
    const parameter = searchParameter(type, name)
    if (parameter?.type !== 'token')
      return {
        ok: false,
        problem: {
          message:
            parameter === undefined
              ? `${type} has no search parameter \`${name}\``
              : `\`${name}\` is a ${parameter.type} parameter`,
          fix: 'constrain by a token parameter of the type',
        },
      }
    const values = decodeURIComponent(encoded)
      .split(',')
      .map((value) => {
        const [first = '', second] = value.split('|')
        if (second === undefined) return { kind: 'token', code: first } as const
        return second === ''
          ? ({ kind: 'token', system: first } as const)
          : ({ kind: 'token', system: first, code: second } as const)
      })
    clauses.push({ kind: 'clause', param: name, type: 'token', values })
  }
  return { ok: true, clauses }
}

export function isInPatientCompartmentDefinition(type: string): boolean {
  return ['patient', 'subject', 'beneficiary', 'individual'].some(
    (code) => searchParameter(type, code)?.targets.includes('Patient') === true,
  )
}
