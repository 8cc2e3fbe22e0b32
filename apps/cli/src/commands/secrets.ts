import type { SecretInventory, SecretUse } from '@scopegate/server'
import type { Command } from 'commander'
import { type CliContext, formatTable, print } from '../context.ts'
import { addRekey } from './rekey.ts'

interface CheckOptions {
  readonly config?: string
  readonly json?: boolean
}

export function addSecrets(program: Command, context: CliContext): void {
  const secrets = program
    .command('secrets')
    .description('Look where secrets come from, and change the key that seals them')
    .addHelpText(
      'after',
      '\nExamples:\n  scopegate secrets check\n  scopegate secrets check --config prod.yaml --json\n  scopegate secrets rekey',
    )

  secrets
    .command('check')
    .description('Say of every secret where it comes from and what is odd about it; no values')
    .option('--config <file>', 'the configuration file (default: scopegate.yaml)')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `
The fingerprint is what \`printf %s "$SECRET" | sha256sum\` begins with: the same in every process
that has the same value. Of a short secret it is too short to find the secret by trying.

Examples:
  scopegate secrets check
  docker exec gate scopegate secrets check --json

Exit code: 0 all resolved, 1 with warnings, 2 if one does not resolve or could not be looked at.`,
    )
    .action(async (options: CheckOptions) => {
      const { readSecretUses } = await import('@scopegate/server')
      const inventory = readSecretUses(
        { cwd: context.cwd, ...(options.config !== undefined && { configFile: options.config }) },
        context.environment,
      )
      print(context, options.json === true, inventory.uses.map(toJson), toText(inventory.uses))
      process.exitCode = tellMalformed(context, inventory) ? 2 : exitCodeOf(inventory.uses)
    })

  addRekey(secrets, context)
}

/** On standard error, so that JSON stays a list of secrets. */
function tellMalformed(context: CliContext, { malformed }: SecretInventory): boolean {
  if (malformed.length === 0) return false
  context.stderr.write(
    [
      '\nnot looked at is what these sections refer to, because of settings of the wrong form:',
      ...malformed.flatMap(({ file, line, path, why, fix }) => [
        `fail  ${line === undefined ? file : `${file}:${line}`}  ${path}: ${why}`,
        ...(fix === undefined ? [] : [`      fix: ${fix}`]),
      ]),
      '',
    ].join('\n'),
  )
  return true
}

function toJson({ path, line, secret, resolution }: SecretUse) {
  const { ok, ...told } = resolution
  return { setting: path, line, source: secret.reference, resolved: ok, ...told }
}

function toText(uses: readonly SecretUse[]): string {
  if (uses.length === 0) return 'the configuration refers to no secret'
  const rows = uses.map(({ path, secret, resolution }) => [
    path,
    secret.reference,
    resolution.ok ? 'yes' : 'no',
    resolution.ok ? String(resolution.length) : '',
    resolution.ok ? resolution.fingerprint : '',
  ])
  const told = uses.flatMap(({ path, line, resolution }) => {
    const where = line === undefined ? path : `${path} (line ${line})`
    return resolution.ok
      ? resolution.warnings.map(({ level, text }) => `${level}  ${where}: ${text}`)
      : [
          `fail  ${where}: ${resolution.problem}`,
          ...resolution.hints.map((hint) => `      fix: ${hint}`),
        ]
  })
  return [
    formatTable(['secret', 'source', 'resolved', 'length', 'fingerprint'], rows),
    ...(told.length > 0 ? ['', ...told] : []),
  ].join('\n')
}

function exitCodeOf(uses: readonly SecretUse[]): number {
  if (uses.some(({ resolution }) => !resolution.ok)) return 2
  const isOdd = ({ resolution }: SecretUse) =>
    resolution.ok && resolution.warnings.some(({ level }) => level === 'warn')
  return uses.some(isOdd) ? 1 : 0
}
