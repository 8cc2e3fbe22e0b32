import { type Command, Option } from 'commander'
import type { CliContext } from '../context.ts'

export interface LearnOptions {
  readonly url?: string
  readonly json?: boolean
  readonly markdown?: boolean
  readonly patient?: string
}

export const LESSON_NAMES = [
  'client-credentials',
  'backend-services',
  'standalone',
  'ehr-launch',
  'refresh',
] as const
export type LessonName = (typeof LESSON_NAMES)[number]

export function addLearn(program: Command, context: CliContext): void {
  const learn = program
    .command('learn')
    .description(
      'Replay a whole flow against the running server, step by step, with what each is for',
    )
    .addHelpText(
      'after',
      `
Secrets, tokens and codes are shown by their first characters only. What a lesson needs, a client and
for some a user, it makes by the admin API and removes at its end.

Examples:
  scopegate learn client-credentials
  scopegate learn standalone --markdown > standalone.md
  scopegate learn refresh --json`,
    )
  const about: Readonly<Record<LessonName, string>> = {
    'client-credentials': 'A program gets a token with its secret, and reads what its scope covers',
    'backend-services': 'A program gets a token with its private key (SMART Backend Services)',
    standalone:
      'An app lets a user sign in, and gets a token and a patient (SMART standalone launch)',
    'ehr-launch': 'An EHR opens an app with what the user has open (SMART EHR launch)',
    refresh: 'An app keeps access without the user: refresh, rotation, revocation',
  }
  for (const name of LESSON_NAMES) {
    learn
      .command(name)
      .description(about[name])
      .option('--url <url>', 'the server (default: the one this user started last)')
      .option('--json', 'print JSON')
      .addOption(new Option('--markdown', 'print Markdown').conflicts('json'))
      .option('--patient <id>', 'whose record the user is, where there is a user (default: any)')
      .addHelpText('after', `\nExample:\n  scopegate learn ${name}`)
      .action(async (options: LearnOptions) => {
        const { runLearn } = await import('../learn/run-learn.ts')
        await runLearn(name, options, context)
      })
  }
}
