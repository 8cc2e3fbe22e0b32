import type { BodyProblem } from '@scopegate/http'
import type { Call } from './call.ts'
import { faultReply, type Reply } from './reply.ts'

/** The answer to a body that could not be read. */
export function bodyFault(call: Call, problem: BodyProblem): Reply {
  switch (problem.reason) {
    case 'too-large':
      return faultReply(
        call,
        413,
        {
          code: 'too-long',
          text: `the body is larger than ${problem.limitBytes} bytes`,
          fix: 'send it in parts, or raise the limit in the configuration',
        },
        // The rest of the body was not read.
        { Connection: 'close' },
      )
    case 'encoded':
      return faultReply(call, 415, {
        code: 'not-supported',
        text: `Content-Encoding \`${problem.encoding}\` is not accepted here`,
        fix: 'send the body as it is',
      })
    case 'not-utf-8':
      return faultReply(call, 400, {
        code: 'structure',
        text: 'the body is not UTF-8',
        fix: 'encode JSON as UTF-8',
      })
    case 'interrupted':
      return faultReply(call, 400, { code: 'structure', text: 'the body did not arrive whole' })
  }
}
