import type { LabOpenIdProvider } from '../lab-open-id-provider-types.ts'
import type { LabAccessTokenWish } from './token-endpoint-types.ts'

/**
 * Where a lab that runs says what it is, and mints tokens by hand: the wish as JSON, its token in the
 * answer. A page in a browser cannot send that content type here.
 */
export const LAB_TOKEN_PATH = '/lab/token'

export async function answerByHand(
  request: Request,
  mint: LabOpenIdProvider['mintAccessToken'],
): Promise<Response> {
  if (request.headers.get('content-type') !== 'application/json') {
    return Response.json({ error: 'send application/json' }, { status: 415 })
  }
  try {
    const wish = (await request.json()) as LabAccessTokenWish
    return Response.json({ access_token: mint(wish) })
  } catch (error) {
    return Response.json({ error: (error as Error).message }, { status: 400 })
  }
}
