import type { ProviderErrorRefinement } from './provider-error.ts'

/** What explains a refused secret wherever it is sent. */
export const SECRET_REFINEMENTS: readonly ProviderErrorRefinement[] = [
  {
    if: 'secret-empty',
    cause: 'the secret that was sent is empty: {secret}',
    fix: 'set it where this process reads it; `scopegate secrets check` shows source and length of every secret',
  },
  {
    if: 'secret-placeholder',
    cause: '{secret} is a placeholder that nobody filled in',
    fix: 'put the real secret in its place; a shell or a template that should have filled it in did not run',
  },
  {
    if: 'secret-byte-order-mark',
    cause: '{secret} starts with a byte order mark, which is sent as part of it',
    fix: 'save the file as UTF-8 without a byte order mark',
  },
  {
    if: 'secret-whitespace',
    cause: '{secret} begins or ends in white space, which is sent as part of it',
    fix: 'write it without the line break: `printf %s "$SECRET" > file` where `echo` adds one',
  },
  {
    if: 'secret-quoted',
    cause: '{secret} stands in quotes, which are sent as part of it',
    fix: 'remove the quotes: files of secrets and `--env-file` take them literally',
  },
]
