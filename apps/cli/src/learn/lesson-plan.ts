import type { AdminClient } from '../connection/admin-client.ts'
import type { Lesson } from './exchange.ts'
import type { Teacher } from './teacher.ts'
import type { Temporaries } from './temporaries.ts'

export interface LessonPlan extends Lesson {
  /** What preparing and clearing up need of the admin API. */
  readonly adminScopes: string
  readonly hasUser: boolean
  run(room: Classroom): Promise<void>
}

/** What a lesson works with. */
export interface Classroom {
  readonly teacher: Teacher
  readonly temporaries: Temporaries
  readonly admin: AdminClient
  readonly fhirUrl: string
  /** Whose record the user is. */
  readonly patient?: string
}
