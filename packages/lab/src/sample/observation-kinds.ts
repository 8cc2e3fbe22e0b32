import { type Coding, loinc } from './systems.ts'

export type ObservationCategory =
  | 'laboratory'
  | 'vital-signs'
  | 'survey'
  | 'social-history'
  | 'procedure'

/** How many Observations of each category eight patients have. 231 in all. */
export const OBSERVATIONS_PER_EIGHT_PATIENTS: Readonly<Record<ObservationCategory, number>> = {
  laboratory: 116,
  'vital-signs': 64,
  survey: 41,
  'social-history': 9,
  procedure: 1,
}

export type ObservationKind = { readonly code: Coding } & (
  | {
      readonly value: 'quantity'
      readonly low: number
      readonly high: number
      readonly digits: number
      readonly unit: string
      readonly ucum: string
    }
  | { readonly value: 'coded'; readonly answers: readonly Coding[] }
  | { readonly value: 'score'; readonly high: number }
  | { readonly value: 'blood-pressure' }
)

const quantity = (
  code: string,
  display: string,
  range: readonly [low: number, high: number, digits: number],
  unit: string,
  ucum = unit,
): ObservationKind => ({
  code: loinc(code, display),
  value: 'quantity',
  low: range[0],
  high: range[1],
  digits: range[2],
  unit,
  ucum,
})

const score = (code: string, display: string, high: number): ObservationKind => ({
  code: loinc(code, display),
  value: 'score',
  high,
})

export const OBSERVATION_KINDS: Readonly<Record<ObservationCategory, readonly ObservationKind[]>> =
  {
    laboratory: [
      quantity('2345-7', 'Glucose [Mass/volume] in Serum or Plasma', [65, 210, 0], 'mg/dL'),
      quantity('4548-4', 'Hemoglobin A1c/Hemoglobin.total in Blood', [4.8, 9.6, 1], '%'),
      quantity('2160-0', 'Creatinine [Mass/volume] in Serum or Plasma', [0.5, 2.1, 2], 'mg/dL'),
      quantity('2951-2', 'Sodium [Moles/volume] in Serum or Plasma', [132, 148, 0], 'mmol/L'),
      quantity('2823-3', 'Potassium [Moles/volume] in Serum or Plasma', [3.2, 5.6, 1], 'mmol/L'),
      quantity('718-7', 'Hemoglobin [Mass/volume] in Blood', [9.5, 17.2, 1], 'g/dL'),
      quantity('6690-2', 'Leukocytes [#/volume] in Blood', [3.2, 14.5, 1], '10*3/uL'),
      quantity('777-3', 'Platelets [#/volume] in Blood', [120, 420, 0], '10*3/uL'),
      quantity('2093-3', 'Cholesterol [Mass/volume] in Serum or Plasma', [130, 290, 0], 'mg/dL'),
      quantity('2085-9', 'Cholesterol in HDL [Mass/volume]', [30, 85, 0], 'mg/dL'),
      quantity('13457-7', 'Cholesterol in LDL [Mass/volume], calculated', [60, 190, 0], 'mg/dL'),
      quantity('2571-8', 'Triglyceride [Mass/volume] in Serum or Plasma', [50, 320, 0], 'mg/dL'),
      quantity('1742-6', 'Alanine aminotransferase in Serum or Plasma', [8, 95, 0], 'U/L'),
      quantity('3016-3', 'Thyrotropin [Units/volume] in Serum or Plasma', [0.3, 6.5, 2], 'mIU/L'),
    ],
    'vital-signs': [
      { code: loinc('85354-9', 'Blood pressure panel'), value: 'blood-pressure' },
      quantity('8867-4', 'Heart rate', [52, 118, 0], 'beats/minute', '/min'),
      quantity('8310-5', 'Body temperature', [36.1, 39.2, 1], '°C', 'Cel'),
      quantity('9279-1', 'Respiratory rate', [11, 24, 0], 'breaths/minute', '/min'),
      quantity('59408-5', 'Oxygen saturation by pulse oximetry', [90, 100, 0], '%'),
      quantity('29463-7', 'Body weight', [48, 118, 1], 'kg'),
      quantity('8302-2', 'Body height', [150, 198, 1], 'cm'),
      quantity('39156-5', 'Body mass index', [18, 38, 1], 'kg/m2'),
    ],
    survey: [
      score('44261-6', 'Patient Health Questionnaire 9 item (PHQ-9) total score', 27),
      score('70274-6', 'Generalized anxiety disorder 7 item (GAD-7) total score', 21),
      score('75626-2', 'Alcohol Use Disorder Identification Test - Consumption total score', 12),
      score('82667-7', 'Total score [DAST-10]', 10),
      score('72514-3', 'Pain severity - 0-10 verbal numeric rating', 10),
    ],
    'social-history': [
      {
        code: loinc('72166-2', 'Tobacco smoking status'),
        value: 'coded',
        answers: [
          {
            system: 'http://snomed.info/sct',
            code: '266919005',
            display: 'Never smoked tobacco',
          },
          { system: 'http://snomed.info/sct', code: '8517006', display: 'Ex-smoker' },
          { system: 'http://snomed.info/sct', code: '449868002', display: 'Smokes tobacco daily' },
        ],
      },
    ],
    procedure: [quantity('10230-1', 'Left ventricular Ejection fraction', [35, 68, 0], '%')],
  }
