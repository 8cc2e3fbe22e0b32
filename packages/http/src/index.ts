export type { Handler } from './handler.ts'
