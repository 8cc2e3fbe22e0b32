/** A browser's part of a sign-in at Keycloak, by its forms: no JavaScript is needed. */
export interface KeycloakVisit {
  /** Where Keycloak sends the browser in the end. */
  readonly answered: URL
  /** Cookies of Keycloak: who sends them is signed in there. */
  readonly cookies: ReadonlyMap<string, string>
}

/**
 * Opens `address` at Keycloak, fills in its login form, and gives back where it redirects to.
 *
 * @throws {Error} with the message that Keycloak shows, when it shows one.
 */
export async function signInAtKeycloak(
  address: string,
  username: string,
  password = `${username}-has-a-password`,
): Promise<KeycloakVisit> {
  const cookies = new Map<string, string>()
  const page = await visit(address, cookies)
  if (page.location !== undefined) return { answered: page.location, cookies }
  const action = /<form id="kc-form-login"[^>]* action="([^"]+)"/.exec(page.text)?.[1]
  if (action === undefined) throw new Error(shownBy(page.text))
  const sent = await visit(action.replaceAll('&amp;', '&'), cookies, {
    method: 'POST',
    body: new URLSearchParams({ username, password, credentialId: '' }),
  })
  if (sent.location === undefined) throw new Error(shownBy(sent.text))
  return { answered: sent.location, cookies }
}

async function visit(address: string, cookies: Map<string, string>, init: RequestInit = {}) {
  const response = await fetch(address, {
    ...init,
    redirect: 'manual',
    headers: { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; ') },
  })
  for (const line of response.headers.getSetCookie()) {
    const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
    cookies.set(name, value)
  }
  const location = response.headers.get('location')
  return {
    text: await response.text(),
    location: location === null ? undefined : new URL(location, address),
  }
}

function shownBy(page: string): string {
  const text = page.replaceAll(/<(script|style)[\s\S]*?<\/\1>/g, '').replaceAll(/<[^>]*>/g, ' ')
  return text.replaceAll(/\s+/g, ' ').trim()
}
