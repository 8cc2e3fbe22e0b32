import { loadApart } from './apart.ts'
import type { LoadResult } from './load.ts'

type Job = Parameters<typeof loadApart>[0]

export interface Paired {
  readonly a: LoadResult
  readonly b: LoadResult
  /** Median of a/b over the pairs: steadier than the quotient of two runs apart. */
  readonly ratio: number
}

/** Two loads in turn, A B A B A B, so that a machine that changes its speed changes both. */
export async function paired(jobA: Job, jobB: Job, pairs = 3): Promise<Paired> {
  const runs: { a: LoadResult; b: LoadResult }[] = []
  for (let pair = 0; pair < pairs; pair++) {
    runs.push({ a: await loadApart(jobA), b: await loadApart(jobB) })
  }
  runs.sort((x, y) => x.a.perSecond / x.b.perSecond - y.a.perSecond / y.b.perSecond)
  const median = runs[Math.floor(runs.length / 2)]!
  return { ...median, ratio: median.a.perSecond / median.b.perSecond }
}
