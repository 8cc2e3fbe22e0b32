import type { Fault } from '@scopegate/http'
import { outcomeText } from './reply.ts'

/** The body for a request below the base that was refused before it came here. */
export function unreadFault({ detail, correlationId }: Fault): string {
  const fix = 'send one path without empty and dot segments, and each header once'
  return outcomeText({ correlationId }, [{ code: 'invalid', text: detail, fix }])
}
