import type { FhirResource } from '../resource.ts'
import type { IndexValue } from './index-value.ts'

/** Appends what one parameter finds in `resource`. `base` is our own base URL, without a final slash. */
export type Extractor = (
  resource: FhirResource,
  found: IndexValue[],
  base: string | undefined,
) => void
