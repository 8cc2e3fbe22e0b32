import { CliError } from '../cli-error.ts'
import type { LearnOptions, LessonName } from '../commands/learn.ts'
import { type AdminClient, connectAdmin } from '../connection/admin-client.ts'
import type { CliContext } from '../context.ts'
import type { LessonStep } from './exchange.ts'
import type { LessonPlan } from './lesson-plan.ts'
import { backendServices } from './lessons/backend-services.ts'
import { clientCredentials } from './lessons/client-credentials.ts'
import { ehrLaunch } from './lessons/ehr-launch.ts'
import { refresh } from './lessons/refresh.ts'
import { standalone } from './lessons/standalone.ts'
import { MARKDOWN, textRenderer } from './render-lesson.ts'
import { createTeacher } from './teacher.ts'
import { createTemporaries, removeStale, type Temporaries } from './temporaries.ts'

const PLANS: Readonly<Record<LessonName, LessonPlan>> = {
  'client-credentials': clientCredentials,
  'backend-services': backendServices,
  standalone,
  'ehr-launch': ehrLaunch,
  refresh,
}

/** Carries out one lesson; what it made at the server is gone afterwards, however it ended. */
export async function runLearn(
  name: LessonName,
  options: LearnOptions,
  context: CliContext,
): Promise<void> {
  const plan = PLANS[name]
  const { stdout, environment } = context
  const admin = await connectAdmin(context, options.url, plan.adminScopes)
  const fhirUrl = await findFhirUrl(admin)
  const steps: LessonStep[] = []
  const hasColours = stdout.isTTY === true && !environment.NO_COLOR
  const renderer = options.markdown === true ? MARKDOWN : textRenderer(hasColours)
  const write = openOutput(stdout, options.json === true)
  const teacher = createTeacher((step) => {
    steps.push(step)
    write(renderer.step(step))
  })
  const temporaries = createTemporaries(admin)
  const stopWatching = removeOnSignal(temporaries)
  try {
    await removeStale(admin, plan.hasUser)
    write(renderer.begin(plan))
    const { patient } = options
    await plan.run({
      ...{ teacher, temporaries, admin, fhirUrl },
      ...(patient !== undefined && { patient }),
    })
  } finally {
    const left = await temporaries.removeAll()
    stopWatching()
    if (left.length > 0) {
      context.stderr.write(`scopegate: could not be removed: ${left.join(', ')}\n`)
      process.exitCode = 1
    }
  }
  write(renderer.end('What was made at the server for this lesson is removed.'))
  if (options.json === true) {
    const { title, lead, spec } = plan
    stdout.write(`${JSON.stringify({ name, title, lead, spec, url: admin.url, steps }, null, 2)}\n`)
  }
}

async function findFhirUrl(admin: AdminClient): Promise<string> {
  const { endpoints } = await admin.call<{ endpoints: { name: string; url: string }[] }>(
    'GET',
    '/status',
  )
  const fhir = endpoints.find(({ name }) => name === 'fhir/r4')
  if (fhir !== undefined) return fhir.url
  throw new CliError('this server has no FHIR endpoint', { where: admin.url })
}

/** One press of Ctrl-C reaches the launcher and this process; the second of both is not a second. */
const SAME_PRESS_MS = 1000

/** Ctrl-C ends a lesson, and takes away what it made first; a later second one ends it at once. */
function removeOnSignal(temporaries: Temporaries): () => void {
  let askedMs: number | undefined
  const end = () => {
    const nowMs = performance.now()
    if (askedMs !== undefined && nowMs - askedMs > SAME_PRESS_MS) process.exit(130)
    if (askedMs !== undefined) return
    askedMs = nowMs
    void temporaries.removeAll().finally(() => process.exit(130))
  }
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
  for (const signal of signals) process.on(signal, end)
  return () => {
    for (const signal of signals) process.off(signal, end)
  }
}

/** Writes until the reader goes away (`| head`): the lesson then ends in the usual way, cleared up. */
function openOutput(stdout: CliContext['stdout'], isSilent: boolean): (text: string) => void {
  let isGone = false
  stdout.on('error', () => {
    isGone = true
  })
  return (text) => {
    if (isGone) throw new CliError('nobody reads the lesson any more')
    if (!isSilent) stdout.write(text)
  }
}
