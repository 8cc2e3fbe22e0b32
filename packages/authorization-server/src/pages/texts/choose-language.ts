/**
 * The first language that is asked for and offered: by the request (`ui_locales`), then the user's
 * own, then the browser's (`Accept-Language`, by weight), then the first one offered. `de-AT` finds
 * `de`.
 * @see OpenID Connect Core §3.1.2.1 ui_locales; RFC 4647 §3.4 lookup
 */
export function chooseLanguage(
  offered: readonly string[],
  asked: {
    readonly uiLocales?: string | undefined
    readonly userLocale?: string | undefined
    readonly acceptLanguage?: string | undefined
  },
): string {
  const wanted = [
    ...(asked.uiLocales ?? '').split(' '),
    asked.userLocale ?? '',
    ...byWeight(asked.acceptLanguage ?? ''),
  ]
  for (const tag of wanted) {
    const found = lookUp(offered, tag.trim().toLowerCase())
    if (found !== undefined) return found
  }
  return offered[0] ?? 'en'
}

function lookUp(offered: readonly string[], tag: string): string | undefined {
  for (let rest = tag; rest !== ''; rest = rest.slice(0, Math.max(0, rest.lastIndexOf('-')))) {
    const found = offered.find((language) => language.toLowerCase() === rest)
    if (found !== undefined) return found
  }
  return undefined
}

function byWeight(header: string): readonly string[] {
  return header
    .slice(0, 500)
    .split(',')
    .map((part) => {
      const [tag = '', ...parameters] = part.trim().split(';')
      const quality = parameters.map((p) => /^\s*q=([\d.]+)\s*$/.exec(p)?.[1]).find(Boolean)
      return { tag, weight: quality === undefined ? 1 : Number(quality) }
    })
    .filter(({ weight }) => weight > 0)
    .sort((a, b) => b.weight - a.weight)
    .map(({ tag }) => tag)
}
