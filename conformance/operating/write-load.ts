import { randomUUID } from 'node:crypto'

/** What a writer knows of one resource: the state that was acknowledged, and one that may hold instead. */
interface Written {
  readonly type: 'Patient'
  readonly id: string
  /** Marker of every acknowledged version, `null` for a deletion; version n is at n - 1. */
  readonly versions: (string | null)[]
  /** A change that was sent and never answered: it may have been made. */
  open?: { readonly marker: string | null }
}

interface Group {
  readonly marker: string
  readonly size: number
  readonly acknowledged: boolean
}

export interface LoadTarget {
  /** Where the server is now. */
  fhir: string
  token: string
}

export interface Stored {
  readonly id: string
  readonly version: number
  readonly marker: string
  readonly resource: Readonly<Record<string, unknown>>
}

/** Writers that keep account of what they were told is durable. */
export interface WriteLoad {
  /** Runs `connections` writers until `stop`. */
  start(target: LoadTarget, connections: number): void
  /** Resolves when every request in flight was answered or broke. */
  stop(): Promise<void>
  readonly acknowledged: () => number
  readonly unanswered: () => number
  /** Differences between what was acknowledged and what `stored` holds; empty when all is well. */
  compare(stored: readonly Stored[]): string[]
  /** Everything that was acknowledged to exist at some time. */
  resources(): readonly { readonly id: string }[]
  /** Acknowledged versions, newest first, for reading them one by one. */
  sample(count: number): readonly { id: string; version: number; marker: string | null }[]
}

export const MARKER_SYSTEM = 'urn:test:marker'
const SURNAMES = ['Ambrose', 'Baker', 'Chaudhry', 'Dvořák', "O'Hara", 'Özil', 'Ng'] as const
const GENDERS = ['female', 'male', 'other', 'unknown'] as const

export function createWriteLoad(): WriteLoad {
  const resources = new Map<string, Written>()
  const groups: Group[] = []
  /** Markers of creates that were never answered: there may be one resource each, or none. */
  const maybe = new Set<string>()
  let acknowledged = 0
  let unanswered = 0
  let stopping = false
  let writers: Promise<unknown> = Promise.resolve()

  async function write(target: LoadTarget): Promise<void> {
    const mine: Written[] = []
    while (!stopping) {
      const usable = mine.filter(({ open, versions }) => !open && versions.at(-1) !== null)
      const known = usable[Math.floor(Math.random() * usable.length)]
      const dice = Math.random()
      if (!known || dice < 0.35) await create(target, mine)
      else if (dice < 0.7) await update(target, known)
      else if (dice < 0.8) await remove(target, known)
      else await transact(target, mine, known)
    }
  }

  async function create(target: LoadTarget, mine: Written[]): Promise<void> {
    const marker = randomUUID()
    const answer = await send(target, 'POST', 'Patient', patient(marker))
    if (answer?.status === 201) keep(mine, idOf(answer.body), marker)
    else maybe.add(marker)
  }

  async function update(target: LoadTarget, known: Written): Promise<void> {
    const marker = randomUUID()
    const version = known.versions.length
    const answer = await send(
      target,
      'PUT',
      `Patient/${known.id}`,
      { ...patient(marker), id: known.id },
      { 'if-match': `W/"${version}"` },
    )
    if (answer?.status === 200) known.versions.push(marker)
    else known.open = { marker }
  }

  async function remove(target: LoadTarget, known: Written): Promise<void> {
    const answer = await send(target, 'DELETE', `Patient/${known.id}`)
    if (answer && answer.status < 300) known.versions.push(null)
    else known.open = { marker: null }
  }

  /** Two new resources and a change of an old one: all three or none. */
  async function transact(target: LoadTarget, mine: Written[], known: Written): Promise<void> {
    const marker = randomUUID()
    const answer = await send(target, 'POST', '', {
      resourceType: 'Bundle',
      type: 'transaction',
      entry: [
        { resource: patient(marker), request: { method: 'POST', url: 'Patient' } },
        { resource: patient(marker), request: { method: 'POST', url: 'Patient' } },
        {
          resource: { ...patient(marker), id: known.id },
          request: { method: 'PUT', url: `Patient/${known.id}` },
        },
      ],
    })
    const done = answer?.status === 200
    groups.push({ marker, size: 3, acknowledged: done })
    if (!done) {
      known.open = { marker }
      maybe.add(marker)
      return
    }
    known.versions.push(marker)
    const entries = (answer.body as { entry: { response: { location: string } }[] }).entry
    for (const { response } of entries.slice(0, 2)) {
      keep(mine, /Patient\/([^/]+)/.exec(response.location)?.[1] ?? '', marker)
    }
  }

  function keep(mine: Written[], id: string, marker: string): void {
    const known: Written = { type: 'Patient', id, versions: [marker] }
    resources.set(id, known)
    mine.push(known)
  }

  async function send(
    { fhir, token }: LoadTarget,
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<{ status: number; body: unknown } | undefined> {
    try {
      const response = await fetch(path === '' ? fhir : `${fhir}/${path}`, {
        method,
        headers: {
          authorization: `Bearer ${token}`,
          'content-type': 'application/fhir+json',
          prefer: 'return=representation',
          ...headers,
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(20_000),
      })
      const text = await response.text()
      if (response.ok) acknowledged++
      else if (response.status >= 500) unanswered++
      // Anything else would be a mistake of this load, and hide what it is to find.
      else throw new Error(`${method} ${path} was answered ${response.status}: ${text}`)
      return { status: response.status, body: text === '' ? undefined : JSON.parse(text) }
    } catch (error) {
      if (error instanceof Error && /was answered/.test(error.message)) throw error
      unanswered++
      // A server that is away refuses at once.
      await new Promise((resolve) => setTimeout(resolve, 20))
      return undefined
    }
  }

  return {
    start(target, connections) {
      stopping = false
      writers = Promise.all(Array.from({ length: connections }, () => write(target)))
      writers.catch(() => undefined)
    },
    async stop() {
      stopping = true
      await writers
    },
    acknowledged: () => acknowledged,
    unanswered: () => unanswered,
    compare(stored) {
      const problems: string[] = []
      const found = new Map(stored.map((one) => [one.id, one]))
      for (const { id, versions, open } of resources.values()) {
        const now = found.get(id)
        const state = { version: versions.length, marker: versions.at(-1) ?? null }
        const possible = [state, ...(open ? [{ version: state.version + 1, ...open }] : [])]
        const fits = possible.some(({ version, marker }) =>
          marker === null ? !now : now?.version === version && now.marker === marker,
        )
        if (fits) continue
        const is = now ? `version ${now.version} (${now.marker})` : 'absent'
        problems.push(`Patient/${id} is ${is}, acknowledged was ${JSON.stringify(possible)}`)
      }
      for (const { id, marker } of stored) {
        if (!resources.has(id) && !maybe.has(marker)) {
          problems.push(`Patient/${id} is there, and nobody wrote it`)
        }
      }
      for (const { marker, size, acknowledged: whole } of groups) {
        if (whole) continue
        const there = stored.filter((one) => one.marker === marker).length
        if (there !== 0 && there !== size) {
          problems.push(`of a transaction of ${size} there are ${there}`)
        }
      }
      return problems
    },
    resources: () => [...resources.values()],
    sample(count) {
      const all = [...resources.values()].flatMap(({ id, versions }) =>
        versions.map((marker, index) => ({ id, version: index + 1, marker })),
      )
      return all.slice(-count)
    },
  }

  function idOf(body: unknown): string {
    return (body as { id: string }).id
  }
}

function patient(marker: string) {
  const pick = <Item>(items: readonly Item[]) =>
    items[Math.floor(Math.random() * items.length)] as Item
  const year = 1930 + Math.floor(Math.random() * 90)
  return {
    resourceType: 'Patient',
    identifier: [{ system: MARKER_SYSTEM, value: marker }],
    active: Math.random() < 0.5,
    name: [{ family: pick(SURNAMES), given: ['Test'] }],
    gender: pick(GENDERS),
    birthDate: `${year}-0${1 + Math.floor(Math.random() * 9)}-11`,
  }
}
