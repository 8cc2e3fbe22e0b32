export type { Check, CheckName, CheckOutcome } from './check.ts'
export { CHECK_ORDER } from './check.ts'
