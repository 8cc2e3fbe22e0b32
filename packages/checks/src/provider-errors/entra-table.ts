import type { ProviderErrorRow } from './provider-error.ts'
import type { ProviderSignal } from './provider-signal.ts'
import { SECRET_REFINEMENTS } from './secret-refinements.ts'

const ENTRA = ['entra'] as const

/** An answer as Entra writes it. */
const answer = (status: number, error: string, code: number, text: string): ProviderSignal => ({
  preset: 'entra',
  status,
  error,
  codes: [code],
  description: `AADSTS${code}: ${text} Trace ID: 3f6f Correlation ID: 91d2 Timestamp: 2026-11-24 03:00:00Z`,
})

const CONSENT =
  'an administrator consents at `https://login.microsoftonline.com/<tenant>/adminconsent?client_id=<client id>`'

/** Microsoft Entra ID. @see https://learn.microsoft.com/entra/identity-platform/reference-error-codes */
export const ENTRA_ERRORS = {
  entra_secret_wrong: {
    kind: 'configuration',
    providers: ENTRA,
    when: [{ codes: [7000215] }],
    cause:
      'Entra does not know {secret} for app {clientId}: an old one, one of another app, or the Secret ID in place of the Value',
    fix: 'make a new client secret under Certificates & secrets, copy its *Value* (shown once), and check that {clientId} is the app it was made for',
    refine: [
      {
        if: 'secret-guid',
        cause:
          '{secret} is shaped like a GUID: the *Secret ID* was pasted, which only names the secret',
        fix: 'copy the column *Value* beside it; it is shown only right after the secret is made, so make a new one if it is gone',
      },
      ...SECRET_REFINEMENTS,
    ],
    examples: [
      answer(
        401,
        'invalid_client',
        7000215,
        "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app 'lab-reader'.",
      ),
    ],
  },
  entra_secret_expired: {
    kind: 'configuration',
    providers: ENTRA,
    when: [{ codes: [7000222] }],
    cause: 'all client secrets of app {clientId} have expired',
    fix: 'make a new secret, or better upload a certificate; put the new one first in `secrets` and let the old one overlap next time',
    examples: [
      answer(
        401,
        'invalid_client',
        7000222,
        "The provided client secret keys for app 'lab-reader' are expired. Visit the Azure portal to create new keys for your app.",
      ),
    ],
  },
  entra_credential_missing: {
    kind: 'configuration',
    providers: ENTRA,
    when: [{ codes: [7000218] }],
    cause:
      'neither a secret nor an assertion arrived at Entra: the connection sends none, or what it reads is empty',
    fix: 'set `authentication` of {connection}; `scopegate secrets check` shows whether the value reaches this process. If the app is meant to be public, allow public client flows there',
    refine: [
      {
        if: 'secret-empty',
        cause: 'the secret that was sent is empty: {secret}',
        fix: 'set it where this process reads it; `scopegate secrets check` shows source and length of every secret',
      },
      {
        if: 'no-authentication',
        cause: 'the connection is set to authenticate with nothing, and the app is confidential',
        fix: 'set `authentication` of {connection} to a secret or a key',
      },
    ],
    examples: [
      answer(
        401,
        'invalid_client',
        7000218,
        "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
      ),
    ],
  },
  entra_app_not_in_tenant: {
    kind: 'configuration',
    providers: ENTRA,
    when: [{ codes: [700016] }],
    cause: 'there is no app {clientId} in tenant {tenant}',
    fix: `compare client id and tenant with the Overview page of the app (Application (client) ID, Directory (tenant) ID); for an app of another tenant, ${CONSENT}`,
    examples: [
      answer(
        400,
        'unauthorized_client',
        700016,
        "Application with identifier 'lab-reader' was not found in the directory 'Example'. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant.",
      ),
    ],
  },
  entra_app_disabled: {
    kind: 'administration',
    providers: ENTRA,
    when: [{ codes: [700011, 70001, 7000112] }],
    cause: 'app {clientId} is disabled or missing in tenant {tenant}',
    fix: 'an administrator enables it: Enterprise applications → the app → Properties → Enabled for users to sign in',
    examples: [
      answer(401, 'unauthorized_client', 7000112, "Application 'lab-reader'(Lab) is disabled."),
    ],
  },
  entra_service_principal_missing: {
    kind: 'administration',
    providers: ENTRA,
    when: [{ codes: [7000229] }],
    cause:
      'app {clientId} has no service principal in tenant {tenant}, which is not allowed any more',
    fix: `make the enterprise application: ${CONSENT}`,
    examples: [
      answer(
        401,
        'invalid_client',
        7000229,
        "The client application is missing service principal in the tenant 'Example'.",
      ),
    ],
  },
  entra_tenant_unknown: {
    kind: 'configuration',
    providers: ENTRA,
    when: [{ codes: [90002, 900023] }],
    cause:
      'Entra has no tenant {tenant} at {host}: a typing error, or the tenant lives in another cloud',
    fix: 'use the Directory (tenant) ID of the Overview page; clouds of the US government and of China have hosts of their own',
    examples: [
      answer(
        400,
        'invalid_request',
        90002,
        "Tenant 'exampel.onmicrosoft.com' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud.",
      ),
    ],
  },
  entra_national_cloud: {
    kind: 'configuration',
    providers: ENTRA,
    when: [{ codes: [90038] }],
    cause: 'tenant {tenant} lives in a national cloud, and {host} is not its host',
    fix: 'set the issuer to `https://login.microsoftonline.us/<tenant>/v2.0` or `https://login.partner.microsoftonline.cn/<tenant>/v2.0`',
    examples: [
      answer(
        400,
        'invalid_request',
        90038,
        "Confidential Client is not supported in Cross Cloud request: tenant 'example.us' is in a national cloud.",
      ),
    ],
  },
  entra_resource_unknown: {
    kind: 'configuration',
    providers: ENTRA,
    when: [{ codes: [500011] }],
    cause:
      'tenant {tenant} has no resource by the name in {scopes}: misspelt (a slash at the end counts), or its API was never installed there',
    fix: 'take the Application ID URI from *Expose an API* of the API, add `/.default`; if it is of another tenant, an administrator consents to it first',
    examples: [
      answer(
        400,
        'invalid_resource',
        500011,
        'The resource principal named api://lab/ was not found in the tenant named Example. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant.',
      ),
    ],
  },
  entra_permission_not_requested: {
    kind: 'administration',
    providers: ENTRA,
    when: [{ codes: [650057, 65005] }],
    cause: 'app {clientId} does not list the resource of {scopes} among its permissions',
    fix: 'API permissions → Add a permission → the API → then *Grant admin consent*',
    examples: [
      answer(
        400,
        'invalid_resource',
        650057,
        'Invalid resource. The client has requested access to a resource which is not listed in the requested permissions in the client’s application registration.',
      ),
    ],
  },
  entra_service_not_subscribed: {
    kind: 'administration',
    providers: ENTRA,
    when: [{ codes: [650052] }],
    cause:
      'tenant {tenant} has no subscription to the service that {scopes} belongs to, or never enabled it',
    fix: 'an administrator licenses or enables the service in that tenant',
    examples: [
      answer(
        400,
        'invalid_client',
        650052,
        "The app is trying to access a service 'api://lab' that your organization 'Example' lacks a service principal for.",
      ),
    ],
  },
  entra_scope_malformed: {
    kind: 'configuration',
    providers: ENTRA,
    when: [{ codes: [70011, 28002, 1002012] }],
    cause:
      'Entra cannot read {scopes}; for client credentials it takes exactly one scope, a resource with `/.default`',
    fix: 'set `scopes: [<Application ID URI>/.default]`, such as `api://lab/.default`; which permissions are in it, the app registration says',
    examples: [
      answer(
        400,
        'invalid_scope',
        70011,
        'The provided request must include a ‘scope’ input parameter. The provided value for the input parameter ‘scope’ is not valid. The scope system/*.rs is not valid.',
      ),
      answer(
        400,
        'invalid_scope',
        1002012,
        'The provided value for scope system/*.rs is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier (application ID URI).',
      ),
    ],
  },
  entra_scopes_of_two_resources: {
    kind: 'configuration',
    providers: ENTRA,
    when: [{ codes: [700022] }],
    cause: '{scopes} belong to more than one resource, and a token is for one',
    fix: 'declare a connection for each resource',
    examples: [
      answer(
        400,
        'invalid_request',
        700022,
        'The provided value for the input parameter scope is not valid because it contains more than one resource.',
      ),
    ],
  },
  entra_scope_without_resource: {
    kind: 'configuration',
    providers: ENTRA,
    when: [{ codes: [700023] }],
    cause: '{scopes} name no resource',
    fix: 'write the Application ID URI in front: `api://lab/.default`',
    examples: [
      answer(
        400,
        'invalid_request',
        700023,
        'The provided value for scope .default is not valid: it names no resource.',
      ),
    ],
  },
  entra_resource_parameter: {
    kind: 'configuration',
    providers: ENTRA,
    when: [{ codes: [901002] }],
    cause: 'the parameter `resource` was sent to the v2.0 endpoint, which takes scopes only',
    fix: 'remove `resource` from the connection, and put the resource in the scope: `<resource>/.default`',
    examples: [
      answer(400, 'invalid_request', 901002, "The 'resource' request parameter is not supported."),
    ],
  },
  entra_tenant_needed: {
    kind: 'configuration',
    providers: ENTRA,
    when: [{ codes: [9001023, 90124, 90130, 50194] }],
    cause:
      'the address names `common`, `organizations` or `consumers`, where this grant or this app is not allowed',
    fix: 'put the tenant id into the issuer: `https://login.microsoftonline.com/<tenant id>/v2.0`',
    examples: [
      answer(
        400,
        'invalid_request',
        50194,
        "Application 'lab-reader'(Lab) is not configured as a multi-tenant application. Usage of the /common endpoint is not supported for such apps created after '10/15/2018'.",
      ),
    ],
  },
  entra_tenant_missing: {
    kind: 'configuration',
    providers: ENTRA,
    when: [{ codes: [50059, 90019] }],
    cause: 'nothing in the request says which tenant it is about',
    fix: 'put the tenant id into the issuer: `https://login.microsoftonline.com/<tenant id>/v2.0`',
    examples: [
      answer(
        400,
        'invalid_request',
        90019,
        'No tenant-identifying information found in either the request or implied by any provided credentials.',
      ),
    ],
  },
  entra_certificate_unknown: {
    kind: 'configuration',
    providers: ENTRA,
    when: [{ codes: [700027], text: /key was not found|not registered/i }],
    cause:
      'the certificate that signed the assertion is not uploaded to app {clientId}; sent was {thumbprint}',
    fix: 'compare it with Certificates & secrets → Certificates of that very app and tenant, and upload the .cer of this certificate',
    examples: [
      answer(
        401,
        'invalid_client',
        700027,
        "The certificate with identifier used to sign the client assertion is not registered on application. [Reason - The key was not found., Thumbprint of key used by client: '5F0C']",
      ),
    ],
  },
  entra_assertion_signature: {
    kind: 'configuration',
    providers: ENTRA,
    when: [{ codes: [700027, 50012, 900384] }, { codes: [50013], text: /signature/i }],
    cause:
      'Entra cannot verify the signature of the assertion: the private key is not that of the certificate, or {algorithm} is not what it expects',
    fix: '`scopegate key list` tells whether key and certificate belong together; use `alg: PS256` with `x5t#S256`, or RS256 with `x5t`',
    examples: [
      answer(
        401,
        'invalid_client',
        50012,
        'Authentication failed. Assertion contains an invalid signature.',
      ),
    ],
  },
  entra_certificate_subject: {
    kind: 'configuration',
    providers: ENTRA,
    when: [{ codes: [700030] }],
    cause:
      'the app trusts certificates by subject and issuer, and this certificate does not fit, or its chain was not sent',
    fix: 'add `x5c` to the headers of the assertion, and compare the subject with the trusted one',
    examples: [
      answer(
        401,
        'invalid_client',
        700030,
        "Invalid certificate - subject name in certificate is not authorized. SubjectNames/SubjectAlternativeNames (up to 10) in token certificate are: 'CN=lab'.",
      ),
    ],
  },
  entra_thumbprint_missing: {
    kind: 'configuration',
    providers: ENTRA,
    when: [{ codes: [50027] }],
    cause:
      'the assertion is malformed, most often because no certificate thumbprint stands in its header',
    fix: 'give the key its certificate (`scopegate key import --certificate …`), so that `x5t#S256` is sent',
    examples: [
      answer(
        401,
        'invalid_client',
        50027,
        'JWT token is invalid or malformed: no certificate thumbprint specified in token header.',
      ),
    ],
  },
  entra_assertion_times: {
    kind: 'configuration',
    providers: ENTRA,
    when: [{ codes: [50013, 500133, 700024] }],
    cause:
      'Entra refuses the assertion for its time range or its audience ({assertionAudience}); {skew}',
    fix: 'the audience must be the token endpoint of this very tenant; the lifetime five to ten minutes',
    refine: [
      {
        if: 'clock-off',
        kind: 'clock',
        cause: 'the assertion is outside its time range for Entra: {skew}',
        fix: 'set this clock right (NTP: `timedatectl` or `chronyc tracking`), then `scopegate connection retry`',
      },
    ],
    examples: [
      answer(
        401,
        'invalid_client',
        700024,
        'Client assertion is not within its valid time range. Current time: 2026-11-24T03:00:00Z, expiry time of assertion 2026-11-24T02:50:00Z.',
      ),
      answer(
        401,
        'invalid_client',
        50013,
        "Assertion audience claim does not match the required value. The audience in the assertion was 'https://example.org'.",
      ),
    ],
  },
  entra_assertion_names: {
    kind: 'configuration',
    providers: ENTRA,
    when: [{ codes: [50048] }],
    cause: '`sub` and `iss` of the assertion differ; both must be the client id',
    fix: 'remove claims that change them; {connection} sends `iss` = `sub` = {clientId} by itself',
    examples: [
      answer(
        400,
        'invalid_client',
        50048,
        'Subject must match Issuer claim in the client assertion.',
      ),
    ],
  },
  entra_public_client: {
    kind: 'configuration',
    providers: ENTRA,
    when: [{ codes: [700025] }],
    cause: 'app {clientId} is public, and a public client may not send a secret or an assertion',
    fix: 'set `authentication: { method: none }`, or switch *Allow public client flows* off in the app registration',
    examples: [
      answer(
        401,
        'invalid_client',
        700025,
        "Client is public so neither 'client_assertion' nor 'client_secret' should be presented.",
      ),
    ],
  },
  entra_parameter: {
    kind: 'configuration',
    providers: ENTRA,
    when: [{ codes: [900144, 90014, 9002313] }],
    cause: 'a parameter is missing or malformed; sent were {parameters}',
    fix: 'the message names it: set what it stands for in the connection (client id, scopes); check that no proxy changes the body',
    examples: [
      answer(
        400,
        'invalid_request',
        900144,
        "The request body must contain the following parameter: 'scope'.",
      ),
    ],
  },
  entra_consent_missing: {
    kind: 'administration',
    providers: ENTRA,
    when: [{ codes: [65001, 90094, 90008] }],
    cause: 'nobody consented that app {clientId} may use the permissions in {scopes}',
    fix: CONSENT,
    examples: [
      answer(
        400,
        'invalid_grant',
        65001,
        "The user or administrator has not consented to use the application with ID 'lab-reader' named 'Lab'. Send an interactive authorization request for this user and resource.",
      ),
    ],
  },
  entra_conditional_access: {
    kind: 'administration',
    providers: ENTRA,
    when: [{ codes: [53003, 530032, 50131] }],
    cause:
      'a Conditional Access policy blocks it; there are such policies for workloads too, by address or location',
    fix: 'give the administrator {ids}, and the public address that this server goes out by; the sign-in log names the policy',
    examples: [
      answer(
        400,
        'invalid_grant',
        53003,
        'Access has been blocked by Conditional Access policies. The access policy does not allow token issuance.',
      ),
    ],
  },
  entra_security_defaults: {
    kind: 'administration',
    providers: ENTRA,
    when: [{ codes: [530035] }],
    cause: 'the security defaults of tenant {tenant} block it',
    fix: 'an administrator replaces security defaults by Conditional Access policies that allow this app',
    examples: [
      answer(
        400,
        'invalid_grant',
        530035,
        'Access has been blocked by security defaults. The request is deemed unsafe by security defaults policies.',
      ),
    ],
  },
  entra_device_compliance: {
    kind: 'administration',
    providers: ENTRA,
    when: [{ codes: [53000, 53001, 53002] }],
    cause: 'a policy asks for a managed device, which a server is not',
    fix: 'use client credentials in place of a user, or have the app excluded from that policy',
    examples: [
      answer(
        400,
        'invalid_grant',
        53000,
        'Device is not in required device state: compliant. Conditional Access policy requires a compliant device.',
      ),
    ],
  },
  entra_mfa_needed: {
    kind: 'sign-in',
    providers: ENTRA,
    when: [{ codes: [50076, 50079, 50074] }],
    cause: 'the user must confirm with a second factor',
    fix: 'sign in again: `scopegate connection authorize {connection}`',
    examples: [
      answer(
        400,
        'interaction_required',
        50076,
        'Due to a configuration change made by your administrator, or because you moved to a new location, you must use multi-factor authentication to access the resource.',
      ),
    ],
  },
  entra_refresh_token_ended: {
    kind: 'sign-in',
    providers: ENTRA,
    when: [{ codes: [50173, 700082, 70008, 50089, 70043] }],
    cause:
      'the refresh token was revoked, was not used for too long, or met the sign-in frequency of the tenant',
    fix: 'sign in again: `scopegate connection authorize {connection}`; `keepAliveHours` keeps an idle one alive',
    examples: [
      answer(
        400,
        'invalid_grant',
        700082,
        'The refresh token has expired due to inactivity. The token was issued on 2026-08-01T00:00:00Z and was inactive for 90.00:00:00.',
      ),
    ],
  },
  entra_spa_refresh_token: {
    kind: 'sign-in',
    providers: ENTRA,
    when: [{ codes: [700084] }],
    cause:
      'the redirect address is registered as a single page app, whose refresh tokens live 24 hours',
    fix: 'register the redirect address under *Web* or *Mobile and desktop applications*, then sign in again',
    examples: [
      answer(
        400,
        'invalid_grant',
        700084,
        'The refresh token was issued to a single page app (SPA), and therefore has a fixed, limited lifetime of 1.00:00:00, which cannot be extended.',
      ),
    ],
  },
  entra_user_account: {
    kind: 'sign-in',
    providers: ENTRA,
    when: [{ codes: [50126, 50055, 50057, 50034, 50053] }],
    cause:
      'the account of the user: wrong or expired password, disabled, unknown, or locked because of the address',
    fix: 'set the account right in the tenant, then sign in again',
    examples: [answer(400, 'invalid_grant', 50057, 'The user account is disabled.')],
  },
  entra_code_redeemed: {
    kind: 'sign-in',
    providers: ENTRA,
    when: [{ codes: [54005, 70000] }],
    cause: 'the code or refresh token was redeemed before, or is not valid for this app',
    fix: 'sign in again: `scopegate connection authorize {connection}`; if it comes back, look for a second program that uses the same grant',
    examples: [
      answer(
        400,
        'invalid_grant',
        54005,
        'OAuth2 Authorization code was already redeemed, please retry with a new valid code or use an existing refresh token.',
      ),
    ],
  },
  entra_redirect_or_pkce: {
    kind: 'configuration',
    providers: ENTRA,
    when: [{ codes: [501481, 50011, 900971] }],
    cause:
      'the redirect address is not registered for app {clientId}, or the code verifier is not that of the request',
    fix: 'add the redirect address of the message under *Mobile and desktop applications* (loopback) or *Web*, to the letter',
    examples: [
      answer(
        400,
        'invalid_request',
        50011,
        "The redirect URI 'http://127.0.0.1:52011/callback' specified in the request does not match the redirect URIs configured for the application 'lab-reader'.",
      ),
    ],
  },
  entra_device_pending: {
    kind: 'temporary',
    providers: ENTRA,
    when: [{ codes: [70016] }],
    cause: 'the user has not entered the code yet',
    fix: 'enter the code at the address shown; asking goes on by itself',
    examples: [
      answer(
        400,
        'authorization_pending',
        70016,
        'OAuth 2.0 device flow error. Authorization is pending. Continue polling.',
      ),
    ],
  },
  entra_device_code: {
    kind: 'sign-in',
    providers: ENTRA,
    when: [{ codes: [70018, 70019] }],
    cause: 'the device code has expired, or a wrong one was entered',
    fix: 'start again: `scopegate connection authorize {connection} --device`',
    examples: [
      answer(400, 'expired_token', 70019, 'Verification code expired.'),
      answer(400, 'bad_verification_code', 70018, 'Invalid verification code.'),
    ],
  },
  entra_loop: {
    kind: 'configuration',
    providers: ENTRA,
    when: [{ codes: [50196] }],
    cause:
      'Entra saw the same request from this client again and again: something asks for tokens without keeping them',
    fix: 'one broker asks once for each token; find the other program that uses client id {clientId}',
    examples: [
      answer(
        400,
        'invalid_grant',
        50196,
        'The server terminated an operation because it encountered a client request loop. Please contact your app vendor.',
      ),
    ],
  },
  entra_throttled: {
    kind: 'rate',
    providers: ENTRA,
    when: [{ codes: [90055] }],
    cause: 'tenant {tenant} has asked too often',
    fix: 'nothing: the next attempt waits {retry}, and a valid token goes on until then',
    examples: [
      answer(
        429,
        'temporarily_unavailable',
        90055,
        'The request was throttled due to excessive request rates.',
      ),
    ],
  },
  entra_temporary: {
    kind: 'temporary',
    providers: ENTRA,
    when: [{ codes: [90033, 90024, 90006, 50033, 90012, 40010] }],
    cause: 'a fault at Entra that passes by itself',
    fix: 'nothing: it is tried again; if it lasts, https://status.cloud.microsoft',
    examples: [
      answer(
        503,
        'temporarily_unavailable',
        90033,
        'A transient error has occurred. Please try again.',
      ),
    ],
  },
  entra_fault: {
    kind: 'temporary',
    providers: ENTRA,
    when: [{ codes: [90036, 50000] }],
    cause: 'a fault at Entra itself',
    fix: 'it is tried again; if it stays, open a case with Microsoft and give {ids}',
    examples: [
      answer(
        500,
        'server_error',
        90036,
        'An unexpected, non-retryable error stemming from the directory service has occurred.',
      ),
    ],
  },
} as const satisfies Record<string, ProviderErrorRow>
