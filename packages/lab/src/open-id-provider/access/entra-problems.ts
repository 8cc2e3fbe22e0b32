import { randomUUID } from 'node:crypto'
import {
  said,
  type TokenAnswer,
  type TokenProblem,
  type TokenProblemKind,
} from './token-problem.ts'

type Row = readonly [status: number, error: string, code: number, text: string]

/** What Entra answers: the number after AADSTS is what people search for. */
function rowOf(kind: TokenProblemKind, problem: TokenProblem): Row {
  const { clientId, value, tenant } = said(problem)
  switch (kind) {
    case 'parameter_missing':
      return row(
        900144,
        'invalid_request',
        `The request body must contain the following parameter: '${value}'.`,
      )
    case 'client_unknown':
      return row(
        700016,
        'unauthorized_client',
        `Application with identifier '${clientId}' was not found in the directory '${tenant}'. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You may have sent your authentication request to the wrong tenant.`,
      )
    case 'client_public':
    case 'secret_missing':
      return row(
        7000218,
        'invalid_client',
        "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
        401,
      )
    case 'secret_wrong':
      return row(
        7000215,
        'invalid_client',
        `Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '${clientId}'.`,
        401,
      )
    case 'secret_expired':
      return row(
        7000222,
        'invalid_client',
        `The provided client secret keys for app '${clientId}' are expired. Visit the Azure portal to create new keys for your app: https://aka.ms/NewClientSecret, or consider using certificate credentials for added security: https://aka.ms/certCreds.`,
        401,
      )
    case 'assertion_audience':
      return row(
        50013,
        'invalid_client',
        `Assertion failed signature validation. [Reason - The audience '${value}' of the assertion is not this token endpoint.]`,
        401,
      )
    case 'assertion_names':
      return row(
        50048,
        'invalid_client',
        "SubjectNotMatchesIssuer - The 'sub' claim of the client assertion does not match its 'iss' claim.",
        401,
      )
    case 'assertion_replayed':
      return row(
        50013,
        'invalid_client',
        'Assertion failed signature validation. [Reason - The assertion was used before.]',
        401,
      )
    case 'assertion_signature':
      return row(
        700027,
        'invalid_client',
        `The certificate with identifier used to sign the client assertion is not registered on application. [Reason - The key was not found.] Please visit the Azure Portal, Graph Explorer or directly use MS Graph to see configured keys for app Id '${clientId}'.`,
        401,
      )
    case 'assertion_time':
      return row(
        700024,
        'invalid_client',
        'Client assertion is not within its valid time range. Current time, expiry time of assertion and its issued time do not agree.',
        401,
      )
    case 'assertion_type':
      return row(
        900144,
        'invalid_request',
        "The request body must contain the following parameter: 'client_assertion_type'.",
      )
    case 'code_invalid':
      return row(70000, 'invalid_grant', 'Provided grant is invalid or malformed.')
    case 'dpop_missing':
      return row(9002313, 'invalid_request', 'Invalid request. Request is malformed or invalid.')
    case 'grant_not_allowed':
      return row(
        65001,
        'invalid_grant',
        `The user or administrator has not consented to use the application with ID '${clientId}'. Send an interactive authorization request for this user and resource.`,
      )
    case 'grant_unsupported':
      return row(
        70003,
        'unsupported_grant_type',
        `The app requested an unsupported grant type '${value}'.`,
      )
    case 'redirect_mismatch':
      return row(
        50011,
        'invalid_grant',
        `The redirect URI '${value}' specified in the request does not match the redirect URIs configured for the application '${clientId}'. Make sure the redirect URI sent in the request matches one added to your application in the Azure portal. Navigate to https://aka.ms/redirectUriMismatchError to learn more about how to troubleshoot this.`,
      )
    case 'refresh_invalid':
    case 'refresh_reused':
      return row(
        700082,
        'invalid_grant',
        'The refresh token has expired due to inactivity. The token was issued on 2026-01-01T00:00:00.0000000Z and was inactive for 90.00:00:00.',
      )
    case 'resource_missing':
      return row(
        900144,
        'invalid_request',
        "The request body must contain the following parameter: 'resource'.",
      )
    case 'resource_unknown':
      return row(
        500011,
        'invalid_resource',
        `The resource principal named ${value} was not found in the tenant named ${tenant}. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You might have sent your authentication request to the wrong tenant.`,
      )
    case 'scope_missing':
      return row(
        900144,
        'invalid_request',
        "The request body must contain the following parameter: 'scope'.",
      )
    case 'scope_form':
      return value === 'resource'
        ? row(901002, 'invalid_request', "The 'resource' request parameter is not supported.")
        : row(
            70011,
            'invalid_scope',
            `The provided request must include a 'scope' input parameter. The provided value for the input parameter 'scope' is not valid. The scope ${value} is not valid.`,
          )
    case 'scope_unknown':
      return row(
        70011,
        'invalid_scope',
        `The provided value for the input parameter 'scope' is not valid. The scope ${value} does not exist.`,
      )
    case 'tenant_missing':
      return row(
        50059,
        'invalid_request',
        'No tenant-identifying information found in either the request or implied by any provided credentials.',
      )
    case 'verifier_wrong':
      return row(
        501481,
        'invalid_grant',
        'The Code_Verifier does not match the code_challenge supplied in the authorization request.',
      )
  }
}

function row(code: number, error: string, text: string, status = 400): Row {
  return [status, error, code, text]
}

/** @see https://learn.microsoft.com/entra/identity-platform/reference-error-codes */
export function refuseAsEntra(problem: TokenProblem): TokenAnswer {
  const [status, error, code, text] = rowOf(problem.problem, problem)
  const trace_id = randomUUID()
  const correlation_id = problem.correlationId ?? randomUUID()
  const iso = new Date((problem.now ?? 0) * 1000).toISOString()
  const timestamp = `${iso.slice(0, 10)} ${iso.slice(11, 19)}Z`
  return {
    status,
    body: {
      error,
      error_description: `AADSTS${code}: ${text} Trace ID: ${trace_id} Correlation ID: ${correlation_id} Timestamp: ${timestamp}`,
      error_codes: [code],
      timestamp,
      trace_id,
      correlation_id,
      error_uri: `https://login.microsoftonline.com/error?code=${code}`,
    },
  }
}
