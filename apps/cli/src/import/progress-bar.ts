import type { CliContext } from '../context.ts'

/** One line on a terminal that redraws itself; silent elsewhere. */
export interface ProgressBar {
  update(state: {
    readonly doneBytes: number
    readonly totalBytes: number
    readonly resources: number
  }): void
  /** Writes a line above the bar. */
  say(line: string): void
  clear(): void
}

const WIDTH = 24
const REDRAW_MS = 100

export function createProgressBar({ stderr }: CliContext, nowMs: () => number): ProgressBar {
  const isShown = stderr.isTTY === true
  const startedMs = nowMs()
  let drawnMs = Number.NEGATIVE_INFINITY
  const clear = () => {
    if (isShown) stderr.write('\r\u001b[K')
  }
  return {
    update({ doneBytes, totalBytes, resources }) {
      if (!isShown || nowMs() - drawnMs < REDRAW_MS) return
      drawnMs = nowMs()
      const part = totalBytes === 0 ? 1 : Math.min(1, doneBytes / totalBytes)
      const filled = Math.round(part * WIDTH)
      const rate = Math.round(resources / Math.max(0.001, (nowMs() - startedMs) / 1000))
      stderr.write(
        `\r\u001b[K${'█'.repeat(filled)}${'░'.repeat(WIDTH - filled)} ${Math.floor(part * 100)
          .toString()
          .padStart(
            3,
          )} %  ${resources.toLocaleString('en')} resources  ${rate.toLocaleString('en')}/s`,
      )
    },
    say(line) {
      clear()
      stderr.write(`${line}\n`)
    },
    clear,
  }
}
