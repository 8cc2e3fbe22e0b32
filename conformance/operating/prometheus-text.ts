/** A sample of a metric: its name, labels and value. */
export interface Sample {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

const HELP = /^# HELP [a-zA-Z_:][a-zA-Z0-9_:]* .+$/
const TYPE = /^# TYPE ([a-zA-Z_:][a-zA-Z0-9_:]*) (counter|gauge|histogram|summary|untyped)$/
const LINE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (-?[\d.e+-]+|[+-]Inf|NaN)(?: -?\d+)?$/
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"(?:,|$)/gy

/**
 * Reads the Prometheus text format 0.0.4, strictly: every line must be one of its lines, every sample
 * must follow the TYPE of its metric, no metric may be declared twice, no series may stand twice.
 *
 * @throws Error naming the line
 */
export function parsePrometheusText(text: string): readonly Sample[] {
  if (!text.endsWith('\n')) throw new Error('the last line has no end')
  const samples: Sample[] = []
  const declared = new Set<string>()
  const seen = new Set<string>()
  for (const line of text.split('\n')) {
    if (line === '' || HELP.test(line)) continue
    const type = TYPE.exec(line)
    if (type) {
      if (declared.has(String(type[1]))) throw new Error(`declared twice: ${line}`)
      declared.add(String(type[1]))
      continue
    }
    const [, name, labelText = '', value] = LINE.exec(line) ?? []
    if (name === undefined || value === undefined) throw new Error(`no line of the format: ${line}`)
    if (!declared.has(name) && !declared.has(name.replace(/_(bucket|sum|count)$/, ''))) {
      throw new Error(`without a type: ${line}`)
    }
    const series = line.slice(0, line.lastIndexOf(' '))
    if (seen.has(series)) throw new Error(`stands twice: ${line}`)
    seen.add(series)
    samples.push({
      name,
      labels: parseLabels(labelText, line),
      value: Number(value.replace('Inf', 'Infinity')),
    })
  }
  return samples
}

function parseLabels(text: string, line: string): Record<string, string> {
  const labels: Record<string, string> = {}
  let end = 0
  for (const match of text.matchAll(LABEL)) {
    labels[String(match[1])] = String(match[2])
    end = match.index + match[0].length
  }
  if (end !== text.length) throw new Error(`labels that are none: ${line}`)
  return labels
}
