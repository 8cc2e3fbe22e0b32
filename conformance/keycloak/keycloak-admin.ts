/** Keycloak's admin API, as the administrator that `tools/with-keycloak.sh` made. */
export async function openKeycloakAdmin(url: string, password: string, realm = 'clinic') {
  // Its first answers take seconds on a busy machine, for which the programs under test do not wait.
  for (const path of ['.well-known/openid-configuration', 'protocol/openid-connect/certs']) {
    const answer = await fetch(`${url}/realms/${realm}/${path}`)
    if (!answer.ok) throw new Error(`${path} of ${realm}: ${answer.status}`)
    await answer.arrayBuffer()
  }

  /** One for each call: in that realm they live for a minute, less than a suite may take. */
  async function token(): Promise<string> {
    const answer = await fetch(`${url}/realms/master/protocol/openid-connect/token`, {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'password',
        client_id: 'admin-cli',
        username: 'admin',
        password,
      }),
    })
    const body = await answer.text()
    if (!answer.ok) throw new Error(`no token for the administrator: ${answer.status} ${body}`)
    return (JSON.parse(body) as { access_token: string }).access_token
  }

  async function call(method: string, path: string, body?: unknown): Promise<unknown> {
    const response = await fetch(`${url}/admin/realms/${realm}${path}`, {
      method,
      headers: { authorization: `Bearer ${await token()}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`)
    return text === '' ? undefined : JSON.parse(text)
  }

  return {
    /** Sets attributes of a client, such as `backchannel.logout.url`. */
    async setClientAttributes(clientId: string, attributes: Readonly<Record<string, string>>) {
      const [client] = (await call('GET', `/clients?clientId=${clientId}`)) as {
        id: string
        attributes: object
      }[]
      if (client === undefined) throw new Error(`no client ${clientId}`)
      const changed = { ...client, attributes: { ...client.attributes, ...attributes } }
      await call('PUT', `/clients/${client.id}`, changed)
    },

    /** Registers another confidential client, until Keycloak stops. */
    async addClient(client: Readonly<Record<string, unknown>>) {
      await call('POST', '/clients', { protocol: 'openid-connect', publicClient: false, ...client })
    },

    /** Makes a scope that tokens name, and lets a client ask for it. */
    async addOptionalScope(clientId: string, name: string) {
      const attributes = { 'include.in.token.scope': 'true' }
      const find = async () => {
        const scopes = (await call('GET', '/client-scopes')) as { id: string; name: string }[]
        return scopes.find((each) => each.name === name)
      }
      if ((await find()) === undefined) {
        await call('POST', '/client-scopes', { name, protocol: 'openid-connect', attributes })
      }
      const scope = await find()
      const [client] = (await call('GET', `/clients?clientId=${clientId}`)) as { id: string }[]
      await call('PUT', `/clients/${client?.id}/optional-client-scopes/${scope?.id}`)
    },

    /** From now on Keycloak signs with a new key; the one before stays in its key set. */
    async rotateKey() {
      await call('POST', '/components', {
        name: `rsa-${Date.now()}`,
        providerId: 'rsa-generated',
        providerType: 'org.keycloak.keys.KeyProvider',
        config: { priority: [String(Math.floor(Date.now() / 1000))], algorithm: ['RS256'] },
      })
    },

    /**
     * Ends a session; Keycloak then sends its logout token. (Ending all sessions of a user at once
     * sends one token in all: Keycloak 26.4.)
     */
    async endSession(sessionId: string) {
      await call('DELETE', `/sessions/${sessionId}`)
    },
  }
}
