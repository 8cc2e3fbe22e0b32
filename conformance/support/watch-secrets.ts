/** Every secret and token that a test sends or gets, by what it was. */
export interface WatchedSecrets {
  note(kind: string, value: string | null | undefined): void
  /** Kinds of those that stand in a text: as they are, in base64 of any alignment, as hex. */
  foundIn(text: string): readonly string[]
  kinds(): readonly string[]
}

/** Shorter ones might stand in random text. */
const SHORTEST = 16

const SECRET_MEMBERS: readonly string[] = [
  ...['access_token', 'refresh_token', 'id_token', 'client_secret', 'device_code', 'code_verifier'],
  ...['client_assertion', 'subject_token', 'token', 'password', 'launch'],
  ...['registration_access_token', 'one_time_password', 'request_uri', 'key', 'passphrase'],
]

/** Looks at every call of `fetch` in this process from now on. */
export function watchSecrets(): WatchedSecrets {
  const known = new Map<string, { readonly kind: string; readonly forms: readonly string[] }>()

  function note(kind: string, value: string | null | undefined): void {
    if (value === undefined || value === null) return
    const secret = value.replace(/^urn:ietf:params:oauth:request_uri:/, '')
    if (secret.length < SHORTEST || known.has(secret)) return
    known.set(secret, { kind, forms: formsOf(secret) })
    // What is left of a JWT where its claims were taken out.
    const [, , signature] = secret.split('.')
    if (secret.startsWith('eyJ') && signature !== undefined) note(`${kind}: signature`, signature)
  }

  function noteMembers(value: unknown): void {
    if (typeof value !== 'object' || value === null) return
    for (const [name, member] of Object.entries(value)) {
      if (typeof member === 'string' && SECRET_MEMBERS.includes(name)) note(name, member)
      else noteMembers(member)
    }
  }

  function noteText(text: string): void {
    if (!/^\s*[{[]/.test(text)) return
    try {
      noteMembers(JSON.parse(text))
    } catch {
      // Not JSON: nothing that this looks for.
    }
  }

  function noteParameters(parameters: URLSearchParams): void {
    for (const [name, value] of parameters) {
      // In JSON, `code` is what an error is called.
      if (name === 'code' || SECRET_MEMBERS.includes(name)) note(name, value)
    }
  }

  const send = globalThis.fetch
  globalThis.fetch = async (input, init) => {
    const request = input instanceof Request ? input : undefined
    const headers = new Headers(init?.headers ?? request?.headers)
    const [scheme = '', credentials = ''] = (headers.get('authorization') ?? '').split(' ', 2)
    note(scheme, credentials)
    if (scheme === 'Basic') note('password', atob(credentials).replace(/^[^:]*:/, ''))
    noteParameters(new URL(request?.url ?? String(input)).searchParams)
    if (init?.body instanceof URLSearchParams) noteParameters(init.body)
    if (typeof init?.body === 'string') noteText(init.body)
    const response = await send(input, init)
    for (const cookie of response.headers.getSetCookie()) {
      note('cookie', /^[^=]*=([^;]*)/.exec(cookie)?.[1])
    }
    const location = response.headers.get('location')
    if (location !== null) noteParameters(new URL(location, response.url).searchParams)
    if (/json/.test(response.headers.get('content-type') ?? '')) {
      noteText(await response.clone().text())
    }
    return response
  }

  return {
    note,
    kinds: () => [...new Set([...known.values()].map(({ kind }) => kind))],
    foundIn: (text) => [
      ...new Set(
        [...known.values()]
          .filter(({ forms }) => forms.some((form) => text.includes(form)))
          .map(({ kind }) => kind),
      ),
    ],
  }
}

/** What a secret looks like where it was copied, encoded, or encoded with something around it. */
function formsOf(secret: string): readonly string[] {
  const bytes = Buffer.from(secret)
  const encoded = [0, 1, 2].flatMap((offset) => {
    const padded = Buffer.concat([Buffer.alloc(offset), bytes])
    // Characters that hold bits of neighbours differ with them.
    const first = Math.ceil((offset * 8) / 6)
    const last = Math.floor((padded.length * 8) / 6)
    return [
      padded.toString('base64').slice(first, last),
      padded.toString('base64url').slice(first, last),
    ]
  })
  return [...new Set([secret, encodeURIComponent(secret), bytes.toString('hex'), ...encoded])]
}
