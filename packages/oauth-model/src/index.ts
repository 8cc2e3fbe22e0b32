export type * from './verified-token.ts'
