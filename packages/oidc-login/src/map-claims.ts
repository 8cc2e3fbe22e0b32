import {
  type ClaimMapping,
  type ClaimSource,
  readClaim,
  readText,
  type UpstreamClaims,
} from './claim-mapping.ts'

type Claims = Readonly<Record<string, unknown>>

export interface MappedClaims {
  readonly claims: UpstreamClaims
  /** What was left out, and why; for the operator. Names claims, never their values. */
  readonly remarks: readonly string[]
}

export interface EmailPolicy {
  /** The claim by which the provider vouches for the address. */
  readonly verifiedClaim: string
  /** Declared by the operator: every address of this provider is verified. */
  readonly trusted: boolean
}

const LINE = /^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]{1,200}$/u
const EMAIL = /^[^\s@\p{Cc}"<>]{1,64}@[^\s@\p{Cc}"<>]{1,189}$/u
// A reference is a path: dots alone would lead out of it.
const FHIR_ID = /^(?!\.+$)[A-Za-z0-9.-]{1,64}$/
const FHIR_USER =
  /^(?:https?:\/\/[^\s?#\\]+\/)?(?:Practitioner|PractitionerRole|Patient|RelatedPerson|Person)\/(?!\.+$)[A-Za-z0-9.-]{1,64}$/
const MAX_ROLES = 100

/**
 * Makes a user out of the claims of a provider. What does not have the form it must have is left
 * out with a remark, and never repaired; nothing is taken that is not mapped.
 *
 * @see SMART 2.2, fhirUser: "Patient, Practitioner, PractitionerRole, RelatedPerson, or Person"
 */
export function mapClaims(mapping: ClaimMapping, claims: Claims, email: EmailPolicy): MappedClaims {
  const remarks: string[] = []

  function text(
    member: string,
    source: ClaimSource | undefined,
    whole: RegExp,
    part: RegExp = LINE,
  ): string | undefined {
    if (source === undefined) return undefined
    const read = readText(source, claims, (value) => part.test(value))
    if (read.problem !== undefined) remarks.push(`\`${member}\` is left out: ${read.problem}`)
    else if (read.text === undefined) {
      remarks.push(`\`${member}\` is left out: \`${source}\` finds no claim`)
    } else if (!whole.test(read.text)) {
      remarks.push(`\`${member}\` is left out: what \`${source}\` gives does not have its form`)
    } else return read.text
    return undefined
  }

  function address(): string | undefined {
    const found = text('email', mapping.email, EMAIL)
    if (found === undefined || email.trusted) return found
    if (mapping.email === 'email' && isTrue(readClaim(email.verifiedClaim, claims))) return found
    remarks.push(
      `\`email\` is left out: the provider does not say that it is verified (claim \`${email.verifiedClaim}\`)`,
    )
    return undefined
  }

  function roles(): readonly string[] {
    if (mapping.roles === undefined) return []
    const { from, values } =
      typeof mapping.roles === 'string' ? { from: mapping.roles, values: undefined } : mapping.roles
    const found = readClaim(from, claims)
    if (found === undefined || found === null) {
      remarks.push(`\`roles\` are left out: \`${from}\` finds no claim`)
      return []
    }
    const list = typeof found === 'string' ? [found] : found
    if (!Array.isArray(list) || list.length > MAX_ROLES) {
      remarks.push(
        `\`roles\` are left out: claim \`${from}\` is no list of at most ${MAX_ROLES} texts`,
      )
      return []
    }
    const usable = list.filter((role): role is string => typeof role === 'string' && isRole(role))
    if (usable.length < list.length) {
      remarks.push(`entries of claim \`${from}\` are left out: they are no names of roles`)
    }
    if (values === undefined) return [...new Set(usable)]
    const known = usable.filter((role) => Object.hasOwn(values, role))
    return [...new Set(known.map((role) => values[role] as string))]
  }

  const username = text('username', mapping.username, LINE)
  const name = text('name', mapping.name, LINE)
  const verified = address()
  const fhirUser = text('fhirUser', mapping.fhirUser, FHIR_USER, FHIR_ID)
  const mapped = {
    ...(username === undefined ? {} : { username }),
    ...(name === undefined ? {} : { name }),
    ...(verified === undefined ? {} : { email: verified }),
    ...(fhirUser === undefined ? {} : { fhirUser }),
    roles: roles(),
  }
  return { claims: mapped, remarks }
}

function isRole(text: string): boolean {
  return text.length <= 100 && LINE.test(text)
}

/** Some providers write booleans as text, and Entra writes `xms_edov` as a number too. */
function isTrue(value: unknown): boolean {
  return value === true || value === 1 || value === 'true' || value === '1'
}
