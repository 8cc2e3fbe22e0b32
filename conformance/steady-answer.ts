import type { Harness, TokenWish } from './harness.ts'
import { expand } from './matrix/macros.ts'

interface Body {
  readonly id?: unknown
  readonly meta?: unknown
  readonly resourceType?: string
  readonly link?: readonly { readonly relation: string; readonly url: string }[]
}

/**
 * Status and body of a GET without what differs from one moment to the next: times, correlation
 * ids, the id of a Bundle, and cursors, which are encrypted (whether there is one stays).
 */
export async function steadyAnswer(
  { baseUrl, mint }: Harness,
  wish: TokenWish,
  path: string,
): Promise<string> {
  const token = await mint({ ...wish, scope: expand(wish.scope) })
  const response = await fetch(`${baseUrl}/${expand(path)}`, {
    headers: { authorization: `Bearer ${token}` },
  })
  const body = (await response.json()) as Body
  const link = body.link?.map(({ relation, url }) => (relation === 'self' ? url : relation))
  const { id, meta, ...rest } = body
  const own = body.resourceType === 'Bundle' ? rest : body
  const text = JSON.stringify({ ...own, link })
    .replaceAll(/"(lastUpdated|lastModified|timestamp)":"[^"]*"/g, '"$1":""')
    .replaceAll(/correlation id \w+/g, 'correlation id …')
  return `${response.status} ${text}`
}
