import type { Command } from 'commander'
import type { CliContext } from '../context.ts'
import { addLabIssuers } from './lab-issuer.ts'
import { addLabProvider } from './lab-provider.ts'
import { addLabToken } from './lab-token.ts'
import { addLabTokenServer } from './lab-token-server.ts'

export function addLab(program: Command, context: CliContext): void {
  const lab = program
    .command('lab')
    .description('Tools for learning and testing; never for production')
    .addHelpText(
      'after',
      `
Examples:
  scopegate lab token --scope "patient/Observation.rs" --patient p1
  scopegate lab entra-v2
  scopegate lab token-server --seconds 60`,
    )
  addLabIssuers(lab, context)
  addLabProvider(lab, context)
  addLabToken(lab, context)
  addLabTokenServer(lab, context)
}
