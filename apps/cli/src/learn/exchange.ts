/** One request and its answer, as they are shown: nothing secret is in them. */
export interface Exchange {
  readonly request: {
    readonly method: string
    readonly url: string
    readonly headers: readonly Header[]
    readonly body?: string
  }
  readonly response: {
    readonly status: number
    readonly statusText: string
    readonly headers: readonly Header[]
    readonly body?: string
  }
}

export type Header = readonly [name: string, value: string]

/** One numbered step of a lesson. */
export interface LessonStep {
  readonly number: number
  readonly title: string
  /** One or two sentences on what it is for. */
  readonly why: string
  /** Missing where nothing goes over the wire. */
  readonly exchange?: Exchange
  /** What an app makes or finds out by itself. */
  readonly facts?: readonly { readonly name: string; readonly value: string }[]
}

export interface Lesson {
  readonly name: string
  readonly title: string
  readonly lead: string
  /** Where it is written down. */
  readonly spec: string
}
