/** One line of the report: what we reach, the limit measured in the same run, and the ratio. */
export interface Row {
  readonly name: string
  readonly value: number
  readonly unit: string
  readonly limit?: { readonly name: string; readonly value: number }
  readonly note?: string
}

export function formatRows(rows: readonly Row[]): string {
  const number = (value: number) =>
    value >= 100 ? Math.round(value).toLocaleString('en-US') : value.toFixed(2)
  const lines = rows.map(({ name, value, unit, limit, note }) =>
    [
      name,
      `${number(value)} ${unit}`,
      limit ? `${number(limit.value)} (${limit.name})` : '',
      limit ? (value / limit.value).toFixed(2) : '',
      note ?? '',
    ].join(' | '),
  )
  return [
    '| what | reached | limit in the same run | ratio | note |',
    '|---|---|---|---|---|',
    ...lines.map((line) => `| ${line} |`),
  ].join('\n')
}
