import type { Interaction } from './classify.ts'
import { history } from './history.ts'
import { read, readVersion } from './read.ts'
import { refuseInteraction } from './refuse.ts'
import type { Reply } from './reply.ts'
import { search } from './search.ts'
import type { Step } from './step.ts'
import { create, remove, update } from './write.ts'

export type DataInteraction = Exclude<
  Interaction,
  { readonly kind: 'capabilities' | 'smart-configuration' | 'options' | 'batch' }
>

/**
 * Decides and carries out one interaction of a caller that is authenticated: a request of its own
 * or an entry of a batch. The token is judged first, then the body, then preconditions.
 */
export async function perform(step: Step, interaction: DataInteraction): Promise<Reply> {
  const refusal = refuseInteraction(step, { interaction: interaction.kind, type: interaction.type })
  if (refusal !== undefined) return refusal
  switch (interaction.kind) {
    case 'read':
      return read(step, interaction)
    case 'vread':
      return readVersion(step, interaction)
    case 'history-instance':
      return history(step, interaction)
    case 'search-type':
      return search(step, interaction)
    case 'create':
      return create(step, interaction)
    case 'update':
      return update(step, interaction)
    case 'delete':
      return remove(step, interaction)
  }
}
