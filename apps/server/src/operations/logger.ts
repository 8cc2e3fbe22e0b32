import { Writable } from 'node:stream'
import { redact } from '@scopegate/checks'
import pino from 'pino'

export type Logger = pino.Logger

export interface LoggerOptions {
  readonly level: string
  readonly format: 'json' | 'text'
  readonly stream: NodeJS.WritableStream
}

/**
 * Logs to one stream: JSON for machines, a line for people. Whatever is logged goes through
 * `redact`: no token, no secret. Resources are never handed to it.
 */
export function createLogger({ level, format, stream }: LoggerOptions): Logger {
  const destination = format === 'json' ? stream : textStream(stream)
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: {
        level: (label) => ({ level: label }),
        log: (fields) => redact(fields) as Record<string, unknown>,
      },
      serializers: { err: (error) => redact(error), error: (error) => redact(error) },
    },
    destination,
  )
}

/** `21:06:06 warn  the message  key=value` */
function textStream(stream: NodeJS.WritableStream): Writable {
  return new Writable({
    write(chunk: Buffer, _encoding, done) {
      const { level, time, msg, ...fields } = JSON.parse(chunk.toString())
      const rest = Object.entries(fields).map(([name, value]) => `${name}=${formatField(value)}`)
      const head = `${String(time).slice(11, 19)} ${String(level).padEnd(5)} ${msg ?? ''}`
      stream.write(`${[head, ...rest].join('  ').replaceAll(/\p{Cc}/gu, escaped)}\n`)
      done()
    },
  })
}

/** A value may stem from anybody: it starts no line of its own and steers no terminal. */
function escaped(character: string): string {
  return `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`
}

function formatField(value: unknown): string {
  if (typeof value === 'string') return value
  const error = value as { message?: unknown } | null
  return typeof error?.message === 'string' ? error.message : JSON.stringify(value)
}
