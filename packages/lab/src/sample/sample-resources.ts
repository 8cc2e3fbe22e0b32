import type { FhirResource } from '@scopegate/fhir-model'
import { care } from './care.ts'
import { documents } from './documents.ts'
import { observations } from './observations.ts'
import { hospital, patient } from './people.ts'
import { createRandom } from './random.ts'
import { twoCompartments } from './two-compartments.ts'

export interface SampleOptions {
  /** The same seed and number of patients give the same resources, byte for byte. */
  readonly seed?: number
  /** At least 2. */
  readonly patients?: number
}

/**
 * A small hospital, made up: nothing in it stems from a person. With the defaults it holds 8
 * patients and exactly 231 Observations: 116 laboratory, 64 vital-signs, 41 survey,
 * 9 social-history, 1 procedure; other sizes keep the proportions.
 *
 * @throws {RangeError} when `patients` is not a whole number of at least 2
 */
export function* sampleResources(options: SampleOptions = {}): Generator<FhirResource> {
  const { seed = 1, patients = 8 } = options
  if (!Number.isInteger(patients) || patients < 2) {
    throw new RangeError(`patients: a whole number of at least 2, got \`${patients}\``)
  }
  const random = createRandom(seed)
  yield* hospital()
  for (let number = 1; number <= patients; number++) {
    yield patient(number, random)
    yield* care(number, random)
  }
  yield* observations(patients, random)
  for (let number = 1; number <= patients; number++) yield* documents(number, random)
  yield* twoCompartments()
}
