import { RESOURCE_TYPES, searchParameters } from '@scopegate/fhir-model'
import type { Pool } from 'pg'

/** The small number that stands for a (type, parameter) in the index tables. */
export interface ParamNumbers {
  /** @throws {TypeError} for a parameter that is not defined. */
  numberOf(type: string, code: string): number
}

/** Reads the numbers, and gives one to every parameter that has none yet. */
export async function readParamNumbers(pool: Pool): Promise<ParamNumbers> {
  const known = new Map<string, number>()
  const read = async () => {
    const { rows } = await pool.query<{ p: number; type: string; code: string }>(
      'select p, type, code from param',
    )
    for (const row of rows) known.set(`${row.type}.${row.code}`, row.p)
  }
  await read()
  const missing = RESOURCE_TYPES.flatMap((type) =>
    searchParameters(type)
      .filter(({ code }) => !known.has(`${type}.${code}`))
      .map(({ code }) => ({ type, code })),
  )
  if (missing.length > 0) {
    await pool.query(
      `insert into param (type, code) select * from unnest($1::text[], $2::text[])
       on conflict (type, code) do nothing`,
      [missing.map(({ type }) => type), missing.map(({ code }) => code)],
    )
    await read()
  }
  return {
    numberOf(type, code) {
      const number = known.get(`${type}.${code}`)
      if (number === undefined) throw new TypeError(`no parameter \`${code}\` on \`${type}\``)
      return number
    },
  }
}
