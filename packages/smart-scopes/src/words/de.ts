import { RESOURCE_TYPES_DE } from './resource-types.de.ts'
import type { ScopeWords } from './scope-words.ts'

export const DE: ScopeWords = {
  language: 'de',
  letters: { c: 'hinzufügen', r: 'ansehen', u: 'ändern', d: 'löschen', s: 'durchsuchen' },
  verbs: { read: 'lesen', c: 'hinzufügen', u: 'ändern', d: 'löschen' },
  and: 'und',
  or: 'oder',
  title: '{what} {verbs}',
  titleOfPart: '{what} {verbs} (nur zum Teil)',
  whose: {
    self: 'Ihre {what}',
    patient: '{what} dieser Person',
    user: '{what}, die Ihnen zugänglich sind,',
    system: '{what} aller Personen',
    nobody: '{what}',
  },
  everything: {
    self: 'Ihre gesamte Gesundheitsakte',
    patient: 'die gesamte Gesundheitsakte dieser Person',
    user: 'alle Gesundheitsdaten, die Ihnen zugänglich sind,',
    system: 'alle Gesundheitsdaten aller Personen',
  },
  permits: 'Die App kann Einträge {letters}.',
  only: 'Nur Einträge mit {constraint}.',
  anyOfSystem: 'jeder Code aus {system}',
  withoutSystem: '{code} ohne Codesystem',
  codeOfSystem: '{code} ({system})',
  more: '{count} weitere',
  details: {
    everything:
      'Das umfasst alle Arten von Daten, auch solche, die später hinzukommen, und gemeinsame Daten wie Fachpersonen und Organisationen.',
    user: 'Das erreicht die Daten aller Personen, die Ihnen zugänglich sind.',
    system: 'Das erreicht die Daten aller Personen, ohne dass jemand angemeldet ist.',
    nobody: 'Solche Einträge werden nicht für eine einzelne Person geführt.',
    write: 'Was so geändert wird, sehen alle, die mit der Akte arbeiten.',
  },
  params: {
    category: 'Kategorie',
    code: 'Code',
    status: 'Status',
    type: 'Art',
    date: 'Datum',
    _id: 'Kennung',
    _tag: 'Markierung',
    _security: 'Schutzkennzeichen',
    _profile: 'Profil',
    _lastUpdated: 'letzte Änderung',
    patient: 'Person',
    subject: 'Gegenstand',
    encounter: 'Besuch',
    author: 'Urheber',
    performer: 'Ausführende',
    'clinical-status': 'klinischer Status',
    'verification-status': 'Status der Bestätigung',
  },
  types: RESOURCE_TYPES_DE,
  categories: {
    laboratory: 'Laborergebnisse',
    vitalSigns: 'Vitalwerte',
    socialHistory: 'Angaben zur Lebensweise (etwa Rauchen und Alkohol)',
    survey: 'Antworten auf Umfragen und Erhebungen',
    sdoh: 'Angaben zum sozialen Umfeld (etwa Wohnen und Ernährung)',
    exam: 'Befunde körperlicher Untersuchungen',
    imaging: 'Befunde der Bildgebung',
    procedure: 'Befunde von Eingriffen',
    therapy: 'Beobachtungen aus Therapien',
    activity: 'Angaben zur körperlichen Aktivität',
    problemListItem: 'Gesundheitsprobleme der Problemliste',
    encounterDiagnosis: 'Diagnosen aus Besuchen',
    healthConcern: 'Gesundheitssorgen',
    clinicalNote: 'Notizen aus der Behandlung',
  },
  plain: {
    openid: {
      title: 'Erfahren, dass Sie es sind, der sich anmeldet',
      detail: 'Die App erfährt eine Kennung Ihres Kontos, die gleich bleibt.',
    },
    fhirUser: {
      title: 'Erfahren, wer Sie in der Gesundheitsakte sind',
      detail: 'Die App erfährt, welche Person oder Fachperson der Akte Sie sind.',
    },
    profile: {
      title: 'Ihren Namen und Ihr Profil erfahren',
      detail: 'Die App erfährt Ihren Namen und wer Sie in der Gesundheitsakte sind.',
    },
    email: {
      title: 'Ihre E-Mail-Adresse erfahren',
      detail: 'Die App erfährt Ihre E-Mail-Adresse und ob sie bestätigt ist.',
    },
    phone: {
      title: 'Ihre Telefonnummer erfahren',
      detail: 'Die App erfährt Ihre Telefonnummer und ob sie bestätigt ist.',
    },
    address: {
      title: 'Ihre Postanschrift erfahren',
      detail: 'Die App erfährt Ihre Postanschrift.',
    },
    launch: {
      title: 'Erfahren, was in der Gesundheitsakte geöffnet ist',
      detail:
        'Die App erfährt die Person, den Besuch und was sonst geöffnet war, als sie gestartet wurde.',
    },
    'launch/patient': {
      title: 'Erfahren, welche Person ausgewählt ist',
      detail: 'Die App erfährt die Kennung der Person, deren Akte benutzt wird.',
    },
    'launch/encounter': {
      title: 'Erfahren, welcher Besuch ausgewählt ist',
      detail: 'Die App erfährt die Kennung des Besuchs oder Aufenthalts, um den es geht.',
    },
    offline_access: {
      title: 'Zugriff behalten, auch wenn Sie die App nicht benutzen',
      detail:
        'Die App kann ihren Zugriff selbst verlängern, auch nachdem Sie sich abgemeldet haben, bis er endet oder Sie ihn zurücknehmen.',
    },
    online_access: {
      title: 'Zugriff behalten, solange Sie angemeldet sind',
      detail: 'Die App kann ihren Zugriff selbst verlängern, solange Sie hier angemeldet sind.',
    },
  },
  adminAccess: {
    read: {
      title: 'Verwaltung: {area} ansehen',
      detail: 'Für Betreiber dieses Servers: {area} ansehen und nichts daran ändern.',
    },
    write: {
      title: 'Verwaltung: {area} verwalten',
      detail: 'Für Betreiber dieses Servers: {area} hinzufügen, ändern und entfernen.',
    },
  },
  adminAreas: {
    clients: 'registrierte Apps',
    launches: 'Starts von Apps',
    grants: 'erteilte Berechtigungen',
    users: 'Benutzerkonten',
    import: 'eingespielte Daten',
    traces: 'Spuren von Anfragen',
    explain: 'Erklärungen von Entscheidungen',
    audit: 'das Zugriffsprotokoll',
    backup: 'Sicherungen mit allen Daten',
    keys: 'Signaturschlüssel',
    status: 'den Zustand des Servers',
  },
  unknown: {
    title: 'Eine Berechtigung ohne Beschreibung nutzen: {scope}',
    detail: 'Hier steht nicht, was {scope} erlaubt. Fragen Sie den Hersteller der App.',
  },
  otherLaunch: {
    title: 'Erfahren, welcher Eintrag ausgewählt ist: {type}',
    detail: 'Die App erfährt, was als {type} ausgewählt war, als sie gestartet wurde.',
  },
}
