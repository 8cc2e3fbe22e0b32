import { createWriteStream } from 'node:fs'
import { resolve } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { sampleResources } from '@scopegate/lab'
import type { Command } from 'commander'
import { CliError } from '../cli-error.ts'
import { type CliContext, print } from '../context.ts'

interface SampleOptions {
  readonly patients: string
  readonly seed: string
  readonly out?: string
  readonly json?: boolean
}

export function addSample(program: Command, context: CliContext): void {
  program
    .command('sample')
    .description('Make sample data: a small hospital, invented, the same for the same seed')
    .option('--patients <number>', 'how many patients', '8')
    .option('--seed <number>', 'another seed, another hospital', '1')
    .option('--out <file>', 'where to write the NDJSON (default: standard output)')
    .option('--json', 'with --out: print the counts as JSON')
    .addHelpText(
      'after',
      `
Examples:
  scopegate sample > sample.ndjson
  scopegate sample --patients 1000 --out big.ndjson && scopegate import big.ndjson`,
    )
    .action(async (options: SampleOptions) => {
      const patients = wholeNumber(options.patients, '--patients', 2)
      const seed = wholeNumber(options.seed, '--seed', 0)
      const counts: Record<string, number> = {}
      function* lines(): Generator<string> {
        for (const resource of sampleResources({ patients, seed })) {
          counts[resource.resourceType] = (counts[resource.resourceType] ?? 0) + 1
          yield `${JSON.stringify(resource)}\n`
        }
      }
      if (options.out === undefined) {
        await pipeline(Readable.from(lines()), context.stdout, { end: false })
        return
      }
      await pipeline(Readable.from(lines()), createWriteStream(resolve(context.cwd, options.out)))
      const total = Object.values(counts).reduce((sum, count) => sum + count, 0)
      print(context, options.json === true, counts, `${total} resources in ${options.out}`)
    })
}

function wholeNumber(text: string, flag: string, least: number): number {
  const value = Number(text)
  if (Number.isInteger(value) && value >= least) return value
  throw new CliError(`${flag} takes a whole number of at least ${least}`, {
    why: `got \`${text}\``,
  })
}
