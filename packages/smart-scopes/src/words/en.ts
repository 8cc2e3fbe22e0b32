import { RESOURCE_TYPES_EN } from './resource-types.en.ts'
import type { ScopeWords } from './scope-words.ts'

export const EN: ScopeWords = {
  language: 'en',
  letters: { c: 'add', r: 'view', u: 'change', d: 'delete', s: 'search' },
  verbs: { read: 'read', c: 'add', u: 'change', d: 'delete' },
  and: 'and',
  or: 'or',
  title: '{verbs} {what}',
  titleOfPart: '{verbs} {what} (only some)',
  whose: {
    self: 'your {what}',
    patient: '{what} of this patient',
    user: '{what} that you may access',
    system: '{what} of all patients',
    nobody: '{what}',
  },
  everything: {
    self: 'your whole health record',
    patient: 'the whole health record of this patient',
    user: 'all health data that you may access',
    system: 'all health data of all patients',
  },
  permits: 'The app can {letters}.',
  only: 'Only entries with {constraint}.',
  anyOfSystem: 'any code of {system}',
  withoutSystem: '{code} without a code system',
  codeOfSystem: '{code} ({system})',
  more: '{count} more',
  details: {
    everything:
      'This covers all kinds of data, also kinds that are added later, and shared data such as professionals and organizations.',
    user: 'This reaches the data of every patient whose data you may access.',
    system: 'This reaches the data of all patients, without anybody being signed in.',
    nobody: 'Such entries are not kept for one patient alone.',
    write: 'What is changed this way is seen by everybody who uses the record.',
  },
  params: {
    category: 'category',
    code: 'code',
    status: 'status',
    type: 'type',
    date: 'date',
    _id: 'id',
    _tag: 'tag',
    _security: 'security label',
    _profile: 'profile',
    _lastUpdated: 'last change',
    patient: 'patient',
    subject: 'subject',
    encounter: 'visit',
    author: 'author',
    performer: 'performer',
    'clinical-status': 'clinical status',
    'verification-status': 'verification status',
  },
  types: RESOURCE_TYPES_EN,
  categories: {
    laboratory: 'laboratory results',
    vitalSigns: 'vital signs',
    socialHistory: 'social history (such as smoking and alcohol)',
    survey: 'answers to surveys and assessments',
    sdoh: 'social circumstances (such as housing and food)',
    exam: 'findings of physical examinations',
    imaging: 'findings of imaging',
    procedure: 'findings of procedures',
    therapy: 'observations of therapy',
    activity: 'physical activity',
    problemListItem: 'health problems on the problem list',
    encounterDiagnosis: 'diagnoses made at visits',
    healthConcern: 'health concerns',
    clinicalNote: 'clinical notes',
  },
  plain: {
    openid: {
      title: 'Know that it is you who signs in',
      detail: 'The app learns an identifier of your account, which stays the same.',
    },
    fhirUser: {
      title: 'Know who you are in the health record',
      detail: 'The app learns which person or professional of the record you are.',
    },
    profile: {
      title: 'Know your name and profile',
      detail: 'The app learns your name and who you are in the health record.',
    },
    email: {
      title: 'Know your e-mail address',
      detail: 'The app learns your e-mail address and whether it is verified.',
    },
    phone: {
      title: 'Know your phone number',
      detail: 'The app learns your phone number and whether it is verified.',
    },
    address: {
      title: 'Know your postal address',
      detail: 'The app learns your postal address.',
    },
    launch: {
      title: 'Know what is open in the health record',
      detail:
        'The app learns the patient, the visit and whatever else was open when it was started.',
    },
    'launch/patient': {
      title: 'Know which patient is chosen',
      detail: 'The app learns the id of the patient whose record is used.',
    },
    'launch/encounter': {
      title: 'Know which visit is chosen',
      detail: 'The app learns the id of the visit or stay that it is about.',
    },
    offline_access: {
      title: 'Keep access when you are not using the app',
      detail:
        'The app can renew its access by itself, also when you have signed out, until the access ends or you take it back.',
    },
    online_access: {
      title: 'Keep access while you are signed in',
      detail: 'The app can renew its access by itself as long as you are signed in here.',
    },
  },
  adminAccess: {
    read: {
      title: 'Administration: view {area}',
      detail: 'For operators of this server. It can view {area}, and change none.',
    },
    write: {
      title: 'Administration: manage {area}',
      detail: 'For operators of this server. It can add, change and remove {area}.',
    },
  },
  adminAreas: {
    clients: 'registered apps',
    launches: 'launches of apps',
    grants: 'permissions given to apps',
    users: 'user accounts',
    import: 'imported data',
    traces: 'traces of requests',
    explain: 'explanations of decisions',
    audit: 'the audit log',
    backup: 'backups with all data',
    keys: 'signing keys',
    status: 'the state of the server',
  },
  unknown: {
    title: 'Use a permission without a description: {scope}',
    detail: 'Nothing here says what {scope} permits. Ask the maker of the app.',
  },
  otherLaunch: {
    title: 'Know which entry is chosen: {type}',
    detail: 'The app learns what was chosen as {type} when it was started.',
  },
}
