import { type AdminAnswer, type AdminCall, answerJson, offered } from '../call.ts'

/** What is in order, and what is not, with what to do. Asks other servers; takes seconds. */
export async function runDoctor({ deps }: AdminCall): Promise<AdminAnswer> {
  return answerJson(await offered(deps.doctor, 'doctor')())
}
