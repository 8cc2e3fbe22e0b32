import type { Explainer, MountedExplainer } from './explainer.ts'

/**
 * One explainer for all that is mounted: the longest path that the address is below decides, as in
 * routing. What is below none goes to the first, which says what it makes of it.
 *
 * @param mounted not empty
 */
export function explainByAddress(
  mounted: readonly [MountedExplainer, ...MountedExplainer[]],
): Required<Explainer> {
  const byLength = mounted
    .map((explainer) => ({ explainer, url: new URL(explainer.url) }))
    .sort((a, b) => b.url.pathname.length - a.url.pathname.length)

  function at(address: string): MountedExplainer {
    const absolute = /^https?:\/\//i.test(address) ? URL.parse(address) : null
    const path = absolute === null ? address : absolute.pathname
    const found = byLength.find(
      ({ url }) =>
        (absolute === null || absolute.origin === url.origin) &&
        isBelow(path, url.pathname.replace(/\/$/, '')),
    )
    return found?.explainer ?? mounted[0]
  }

  return {
    explain: (request) => at(request.path).explain(request),
    async needs(request) {
      const { needs, url } = at(request.path)
      if (needs !== undefined) return needs(request)
      return {
        public: false,
        scopes: [],
        audiences: [url],
        issuers: [],
        settings: { audiences: 'unknown', trust: 'unknown' },
        notes: ['what it needs cannot be told for this address'],
      }
    },
  }
}

function isBelow(path: string, base: string): boolean {
  return path.startsWith(base) && ['', '/', '?'].includes(path.charAt(base.length))
}
