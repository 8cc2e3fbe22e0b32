import { existsSync, readdirSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { didYouMean } from '@scopegate/checks'

type Environment = Readonly<Record<string, string | undefined>>

/** What was probably meant by a variable that is not set: names only, never values. */
export function nearVariables(
  name: string,
  env: Environment,
  secretsDirectory: string,
): readonly string[] {
  const isSet = (other: string) => other !== name && (env[other] ?? '') !== ''
  const hints: string[] = []
  const legal = name.replaceAll(/[-.]/g, '_')
  const upper = legal.toUpperCase()
  const near =
    [legal, upper].find(isSet) ??
    Object.keys(env).find((other) => isSet(other) && other.toUpperCase() === name.toUpperCase()) ??
    didYouMean(name, Object.keys(env).filter(isSet))
  if (near !== undefined) hints.push(`\`${near}\` is set: did you mean \`env:${near}\`?`)
  if (/[-.]/.test(name)) {
    const better = near === undefined ? `; call it \`${upper}\`` : ''
    hints.push(`shells drop variables with \`-\` or \`.\` in their name${better}`)
  }
  const fileVariable = [`${name}_FILE`, `${upper}_FILE`].find(isSet)
  if (fileVariable !== undefined) hints.push(sayFileVariable(fileVariable, env[fileVariable] ?? ''))
  const mounted = [name, legal, name.toLowerCase(), legal.toLowerCase(), upper.toLowerCase()]
    .flatMap((each) => [each, each.replaceAll('_', '-')])
    .map((each) => join(secretsDirectory, each))
    .find((path) => existsSync(path))
  if (mounted !== undefined) hints.push(`did you mean \`file:${mounted}\`, which is there?`)
  return hints
}

/** The value is shown only if it is a path for certain: people put secrets everywhere. */
function sayFileVariable(variable: string, path: string): string {
  return path.startsWith('/') && existsSync(path)
    ? `\`${variable}\` names a file: did you mean \`file:${path}\`?`
    : `\`${variable}\` is set: if it names a file, write that as \`file:PATH\``
}

/** What was probably meant by a file that is not there. */
export function nearFiles(file: string): readonly string[] {
  const folder = dirname(file)
  try {
    const near = didYouMean(basename(file), readdirSync(folder))
    return near === undefined || near === basename(file)
      ? []
      : [`did you mean \`file:${join(folder, near)}\`?`]
  } catch {
    return [`the folder \`${folder}\` is not there either: was the secret mounted?`]
  }
}
