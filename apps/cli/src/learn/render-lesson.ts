import type { Exchange, Lesson, LessonStep } from './exchange.ts'

/** How a lesson is written: piece by piece, as it happens. */
export interface LessonRenderer {
  begin(lesson: Lesson): string
  step(step: LessonStep): string
  end(text: string): string
}

/** For a terminal; requests are marked `>`, answers `<`. */
export function textRenderer(hasColours: boolean): LessonRenderer {
  const paint = (code: string) => (text: string) =>
    hasColours ? `\u001b[${code}m${text}\u001b[0m` : text
  const [bold, dim, cyan, green, red] = ['1', '2', '36', '32', '31'].map(paint) as Paint[]
  return {
    begin: ({ title, lead, spec }) => `${bold!(title)}\n${wrap(lead, '')}\n${dim!(spec)}\n\n`,
    step({ number, title, why, exchange, facts }) {
      const lines = [bold!(`${number}. ${title}`), wrap(why, '   ')]
      if (facts) {
        const width = Math.max(...facts.map(({ name }) => name.length))
        lines.push('', ...facts.map((each) => dim!(fact(each, width))))
      }
      if (exchange) {
        const [status = '', ...rest] = answerLines(exchange)
        const isGood = exchange.response.status < 400
        lines.push(
          '',
          ...requestLines(exchange).map((line) => cyan!(`   > ${line}`.trimEnd())),
          (isGood ? green : red)!(`   < ${status}`),
          ...rest.map((line) => `   < ${line}`.trimEnd()),
        )
      }
      return `${lines.join('\n')}\n\n`
    },
    end: (text) => `${dim!(text)}\n`,
  }
}

type Paint = (text: string) => string

/** For notes and documentation. */
export const MARKDOWN: LessonRenderer = {
  begin: ({ title, lead, spec }) => `# ${title}\n\n${lead}\n\n${spec}\n\n`,
  step({ number, title, why, exchange, facts }) {
    const width = Math.max(0, ...(facts ?? []).map(({ name }) => name.length))
    return [
      `## ${number}. ${title}`,
      '',
      why,
      '',
      ...(facts ? ['```', ...facts.map((each) => fact(each, width).trimStart()), '```', ''] : []),
      ...(exchange
        ? [
            ...['```http', ...requestLines(exchange), '```', ''],
            ...['```http', ...answerLines(exchange), '```', ''],
          ]
        : []),
      '',
    ].join('\n')
  },
  end: (text) => `${text}\n`,
}

function requestLines({ request }: Exchange): readonly string[] {
  // By hand: a URL object would encode the dots of what is masked.
  const [, host = '', target = '/'] = /^https?:\/\/([^/?]+)(.*)$/.exec(request.url) ?? []
  return [
    ...targetLines(`${request.method} `, target),
    `Host: ${host}`,
    ...request.headers.map(([name, value]) => `${name}: ${value}`),
    ...(request.body === undefined ? [] : ['', ...request.body.split('\n')]),
  ]
}

function answerLines({ response }: Exchange): readonly string[] {
  return [
    `${response.status} ${response.statusText}`.trim(),
    ...response.headers.map(([name, value]) => `${name}: ${value}`),
    ...(response.body === undefined ? [] : ['', ...response.body.split('\n')]),
  ]
}

/** The request line; a long query with one parameter per line. */
function targetLines(method: string, target: string): readonly string[] {
  const [path = '', query = ''] = target.split('?', 2)
  if (query.length < 60) return [`${method}${target} HTTP/1.1`]
  const params = query.split('&').map((each, at) => `    ${at === 0 ? '?' : '&'}${each}`)
  return [`${method}${path}`, ...params.slice(0, -1), `${params.at(-1)} HTTP/1.1`]
}

function fact({ name, value }: { name: string; value: string }, width: number): string {
  const [first = '', ...rest] = value.split('\n')
  const indent = ' '.repeat(width + 5)
  return [`   ${name.padEnd(width)}  ${first}`, ...rest.map((line) => `${indent}${line}`)].join(
    '\n',
  )
}

function wrap(text: string, indent: string): string {
  const lines: string[] = []
  for (const word of text.split(' ')) {
    const last = lines.at(-1)
    if (last === undefined || last.length + word.length > 96) lines.push(`${indent}${word}`)
    else lines[lines.length - 1] = `${last} ${word}`
  }
  return lines.join('\n')
}
