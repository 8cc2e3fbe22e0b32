import { isResourceType } from '../definitions/resource-types.ts'
import { type Slot, type Structure, structureOf } from '../definitions/structure.ts'
import { formatPath, type PathPart, type Problem } from '../problem.ts'
import { bindingFault } from './binding-fault.ts'
import { primitiveJudge } from './primitives.ts'
import { referenceFault } from './reference-fault.ts'
import { findWholeDecimals, mayHoldWholeDecimals } from './whole-decimals.ts'

/** After this many, the rest is not looked for. */
const MOST_PROBLEMS = 50

type Members = Readonly<Record<string, unknown>>

/** The resource in which `#fragment` references are looked up. */
interface Scope {
  /** Type by id of what is contained. */
  readonly contained: ReadonlyMap<string, string>
  readonly type: string
}

interface Context {
  readonly problems: Problem[]
  readonly path: PathPart[]
  hasIntegers: boolean
}

/**
 * Judges the structure of a resource against R4: element names, cardinality, JSON types, primitive
 * formats, one value per choice, required bindings (HL7's own code systems), references (form,
 * target type, contained target), contained resources, narrative. Empty when all is well.
 *
 * `1.0` and `1e3` are decimals to FHIR, and as values they are whole: where an integer belongs they
 * are refused if `text`, which the resource was read from, is given.
 *
 * Not judged: invariants (FHIRPath constraints), profiles, bindings to other code systems, whether a
 * reference leads anywhere. Problems never hold values out of the resource.
 *
 * @see https://hl7.org/fhir/R4/validation.html, https://hl7.org/fhir/R4/json.html
 */
export function validateResource(resource: unknown, text?: string): readonly Problem[] {
  const context: Context = { problems: [], path: [], hasIntegers: false }
  validateAnyResource(resource, context, 'top')
  if (context.hasIntegers && text !== undefined && mayHoldWholeDecimals(text))
    findWholeDecimals(resource, text, (path) =>
      report(
        context,
        'value',
        'an integer is written in digits alone: no point, no exponent',
        ...path,
      ),
    )
  return context.problems
}

function report(context: Context, code: Problem['code'], text: string, ...more: PathPart[]): void {
  if (context.problems.length < MOST_PROBLEMS)
    context.problems.push({ code, expression: formatPath([...context.path, ...more]), text })
}

function isMembers(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function validateAnyResource(
  value: unknown,
  context: Context,
  place: 'top' | 'inside' | 'contained',
  outer?: Scope,
): void {
  if (!isMembers(value)) {
    report(context, 'structure', 'a resource (JSON object) is expected')
    return
  }
  const { resourceType } = value
  if (typeof resourceType !== 'string' || !isResourceType(resourceType)) {
    report(context, 'structure', '`resourceType` does not name a resource type of FHIR R4')
    return
  }
  if (place === 'top') context.path.push(resourceType)
  if (place === 'contained') {
    if (typeof value.id !== 'string')
      report(context, 'required', 'a contained resource needs an `id`: it is referred to by `#id`')
    if (value.contained !== undefined)
      report(context, 'structure', 'a contained resource contains none itself', 'contained')
    checkContainedMeta(value.meta, context)
  }
  const scope = place === 'contained' ? outer! : scopeOf(value, resourceType)
  if (Array.isArray(value.contained) && scope.contained.size < countIds(value.contained))
    report(context, 'structure', 'two contained resources have the same `id`', 'contained')
  validateObject(value, structureOf(resourceType)!, context, scope, true)
}

/** dom-4, dom-5: a contained resource has no versions and no security label of its own. */
function checkContainedMeta(meta: unknown, context: Context): void {
  if (!isMembers(meta)) return
  for (const name of ['versionId', 'lastUpdated', 'security'])
    if (meta[name] !== undefined)
      report(context, 'invariant', 'a contained resource has none of its own', 'meta', name)
}

const NOTHING_CONTAINED: ReadonlyMap<string, string> = new Map()

function scopeOf({ contained }: Members, type: string): Scope {
  if (!Array.isArray(contained)) return { contained: NOTHING_CONTAINED, type }
  const types = new Map<string, string>()
  for (const one of contained)
    if (isMembers(one) && typeof one.id === 'string' && typeof one.resourceType === 'string')
      types.set(one.id, one.resourceType)
  return { contained: types, type }
}

function countIds(contained: readonly unknown[]): number {
  return contained.filter(
    (one) => isMembers(one) && typeof one.id === 'string' && typeof one.resourceType === 'string',
  ).length
}

function validateObject(
  object: Members,
  structure: Structure,
  context: Context,
  scope: Scope,
  isResource: boolean,
): void {
  const { slots } = structure
  const { path } = context
  let isEmpty = true
  for (const name in object) {
    if (isResource && name === 'resourceType') continue
    isEmpty = false
    const sibling = name.charCodeAt(0) === UNDERSCORE
    const slot = slots.get(sibling ? name.slice(1) : name)
    if (slot === undefined || (sibling && !mayBeExtended(slot))) {
      report(context, 'structure', 'there is no such element here', name)
      continue
    }
    path.push(name)
    if (sibling) validateSibling(object[name], slot, context, scope)
    else if (slot.array) validateArray(object[name], slot, object, context, scope)
    else validateValue(object[name], slot, context, scope)
    path.pop()
  }
  if (isEmpty && !isResource) report(context, 'structure', 'the object is empty')
  if (structure.hasChoices) checkChoices(object, structure, context)
  for (const { element, members } of structure.required)
    if (!members.some((one) => object[one] !== undefined || object[`_${one}`] !== undefined))
      report(context, 'required', `\`${element}\` is missing`, element)
}

const UNDERSCORE = 0x5f

/** Ids are attributes, not elements: they take no extensions. */
function mayBeExtended(slot: Slot): boolean {
  return slot.member !== 'id' && primitiveJudge(slot.type) !== undefined
}

/** `valueString` and `_valueString` are one value, `valueString` and `valueCode` are two. */
function checkChoices(object: Members, { slots }: Structure, context: Context): void {
  const chosen = new Map<string, string>()
  for (const name in object) {
    const slot = slots.get(name.charCodeAt(0) === UNDERSCORE ? name.slice(1) : name)
    if (slot === undefined || slot.element === slot.member) continue
    const other = chosen.get(slot.element)
    chosen.set(slot.element, slot.member)
    if (other === undefined || other === slot.member) continue
    const both = `\`${other}\` and \`${slot.member}\``
    report(context, 'structure', `${both} stand together: one value at most is allowed`)
  }
}

function validateArray(
  value: unknown,
  slot: Slot,
  owner: Members,
  context: Context,
  scope: Scope,
): void {
  if (!Array.isArray(value)) {
    report(context, 'structure', 'an array is expected')
    return
  }
  if (value.length === 0) report(context, 'structure', 'the array is empty: leave the element out')
  const { path } = context
  for (let index = 0; index < value.length; index++) {
    path.push(index)
    if (value[index] === null && primitiveJudge(slot.type) !== undefined) {
      const beside = owner[`_${slot.member}`]
      if (!Array.isArray(beside) || !isMembers(beside[index]))
        report(context, 'structure', `null stands only beside an extension in \`_${slot.member}\``)
    } else validateValue(value[index], slot, context, scope)
    path.pop()
  }
}

function validateValue(value: unknown, slot: Slot, context: Context, scope: Scope): void {
  const judge = primitiveJudge(slot.type)
  if (judge !== undefined) {
    const fault = judge(value)
    if (typeof value === 'number' && slot.type !== 'decimal') context.hasIntegers = true
    if (fault === undefined) keepBinding(value, slot, context)
    else report(context, 'value', fault)
  } else if (slot.type === 'Resource') {
    const place = slot.member === 'contained' ? 'contained' : 'inside'
    validateAnyResource(value, context, place, scope)
  } else if (isMembers(value)) {
    validateObject(value, structureOf(slot.type)!, context, scope, false)
    keepBinding(value, slot, context)
    if (slot.type === 'Reference') {
      const fault = referenceFault(value, slot.targets, scope)
      if (fault !== undefined) report(context, 'value', fault)
    } else if (slot.type === 'Extension') checkExtension(value, context)
  } else
    report(
      context,
      'structure',
      Array.isArray(value)
        ? 'a single JSON object is expected, not an array'
        : 'a JSON object is expected',
    )
}

function keepBinding(value: unknown, slot: Slot, context: Context): void {
  if (slot.codes === undefined) return
  const wrong = bindingFault(value, slot)
  if (wrong !== undefined) report(context, 'code-invalid', wrong)
}

/** ext-1: "Must have either extensions or value[x], not both". */
function checkExtension(value: Members, context: Context): void {
  const nested = value.extension !== undefined
  let valued = false
  for (const name in value) if (name.startsWith('value') || name.startsWith('_value')) valued = true
  if (nested === valued)
    report(context, 'invariant', 'an extension has either extensions or a value, not both')
}

/** `_birthDate`: id and extensions of a primitive, or an array of them and nulls. */
function validateSibling(value: unknown, slot: Slot, context: Context, scope: Scope): void {
  const element = structureOf('Element')!
  if (!slot.array) {
    if (isMembers(value)) validateObject(value, element, context, scope, false)
    else report(context, 'structure', 'a JSON object is expected')
    return
  }
  if (!Array.isArray(value) || value.length === 0) {
    report(context, 'structure', 'an array is expected, aligned with the values')
    return
  }
  for (let index = 0; index < value.length; index++) {
    const one: unknown = value[index]
    if (one === null) continue
    context.path.push(index)
    if (isMembers(one)) validateObject(one, element, context, scope, false)
    else report(context, 'structure', 'null or a JSON object is expected')
    context.path.pop()
  }
}
