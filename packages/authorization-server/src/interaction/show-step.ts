import { showConsent } from './consent-step.ts'
import { type Search, showEncounters, showPatients } from './context-steps.ts'
import { refuse } from './finish.ts'
import type { Step } from './next-step.ts'
import { signInVisit, type Visit } from './visit.ts'

/** Shows a step, or ends the interaction if there is nothing to show. */
export function showStep(visit: Visit, step: Step, telling: Search = {}): Promise<void> {
  switch (step.kind) {
    case 'sign-in':
      return visit.deps.signIn.show(signInVisit(visit, step.again), telling)
    case 'refuse':
      return refuse(visit, step.error, step.description)
    case 'patient':
      return showPatients(visit, step, telling)
    case 'encounter':
      return showEncounters(visit, step, telling)
    case 'consent':
      return showConsent(visit, step, telling)
  }
}
