/** Where a secret is read from. */
export type SecretReference =
  | { readonly source: 'env'; readonly name: string }
  | { readonly source: 'file'; readonly path: string; readonly pointer?: string }
  | { readonly source: 'env-file'; readonly path: string; readonly name: string }
  /** The secret itself: for development only. */
  | { readonly source: 'literal'; readonly value: string }

export type ParsedSecretReference =
  | { readonly ok: true; readonly reference: SecretReference }
  | { readonly ok: false; readonly problem: string }

/**
 * What a reference looks like, for forms and schemas. Names of variables may hold `-` and `.`,
 * which containers pass on and shells do not.
 */
export const SECRET_REFERENCE =
  /^(?:env:[A-Za-z_][A-Za-z0-9_.-]*|file:.+|env-file:.+#[A-Za-z_][A-Za-z0-9_.-]*|literal:.+)$/s

const NAME = /^[A-Za-z_][A-Za-z0-9_.-]*$/

/**
 * Reads `env:NAME`, `file:PATH`, `file:PATH#/json/pointer`, `env-file:PATH#NAME` or
 * `literal:VALUE`. Anything else is taken for a secret that stands in the configuration: the
 * problem never repeats it.
 */
export function parseSecretReference(text: string): ParsedSecretReference {
  const [, scheme, rest = ''] = /^(env|file|env-file|literal):(.*)$/s.exec(text) ?? []
  switch (scheme) {
    case 'env':
      return NAME.test(rest)
        ? accept({ source: 'env', name: rest })
        : refuse('`env:` must be followed by the name of an environment variable')
    case 'file':
      return parseFile(rest)
    case 'env-file':
      return parseEnvFile(rest)
    case 'literal':
      return rest === ''
        ? refuse('`literal:` must be followed by the value')
        : accept({ source: 'literal', value: rest })
    default:
      return refuse(
        'a secret is never written into the configuration: put it into an environment variable and write `env:NAME`, or into a file and write `file:PATH`',
      )
  }
}

/** The reference as it may be shown: a literal shows no value. */
export function maskSecretReference(text: string): string {
  return text.startsWith('literal:') ? 'literal:***' : text
}

/** The file that a reference reads, relative as it was written; `undefined` if it reads none. */
export function fileOfReference(text: string): string | undefined {
  const parsed = parseSecretReference(text)
  return parsed.ok && 'path' in parsed.reference ? parsed.reference.path : undefined
}

// Pointers may hold `#`; paths with `#/` in them are rarer than that.
function parseFile(rest: string): ParsedSecretReference {
  const at = rest.indexOf('#/')
  const path = at === -1 ? rest : rest.slice(0, at)
  if (path === '') return refuse('`file:` must be followed by a path')
  return accept({
    source: 'file',
    path,
    ...(at !== -1 && { pointer: rest.slice(at + 1) }),
  })
}

function parseEnvFile(rest: string): ParsedSecretReference {
  const at = rest.lastIndexOf('#')
  const path = rest.slice(0, Math.max(at, 0))
  const name = rest.slice(at + 1)
  if (path === '' || !NAME.test(name)) {
    return refuse('`env-file:` must be followed by a path, `#` and the name of a variable in it')
  }
  return accept({ source: 'env-file', path, name })
}

function accept(reference: SecretReference): ParsedSecretReference {
  return { ok: true, reference }
}

function refuse(problem: string): ParsedSecretReference {
  return { ok: false, problem }
}
