export type Environment = Readonly<Record<string, string | undefined>>

/** The environment, read once and passed in. The only place that touches `process.env`. */
export function readEnvironment(): Environment {
  return Object.freeze({ ...process.env })
}
