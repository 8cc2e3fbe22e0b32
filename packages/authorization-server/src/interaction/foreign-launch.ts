import type { LaunchContext } from '@scopegate/oauth-model'

const ID = /^[A-Za-z0-9.-]{1,64}$/

/**
 * The context that launchers for development write into `launch` themselves, as base64 of JSON: an
 * object of launch context members, or the array of the public SMART launcher. Nothing says who
 * wrote it, so only ids are taken, to be looked up under the rights of the user.
 */
export function parseForeignLaunch(
  launch: string,
): Pick<LaunchContext, 'patient' | 'encounter' | 'need_patient_banner'> | undefined {
  if (launch.length > 4096 || !/^[A-Za-z0-9+/_-]+=*$/.test(launch)) return undefined
  let value: unknown
  try {
    value = JSON.parse(Buffer.from(launch, 'base64').toString('utf8'))
  } catch {
    return undefined
  }
  if (typeof value !== 'object' || value === null) return undefined
  // The launcher's array: kind of launch, patients, providers, encounter, …
  const members = Array.isArray(value)
    ? { patient: value[1], encounter: value[3] }
    : (value as Record<string, unknown>)
  const { patient, encounter, need_patient_banner: banner } = members as Record<string, unknown>
  return {
    ...(isId(patient) ? { patient } : {}),
    // It writes AUTO and MANUAL where the server is to choose.
    ...(isId(encounter) && encounter !== 'AUTO' && encounter !== 'MANUAL' ? { encounter } : {}),
    ...(typeof banner === 'boolean' ? { need_patient_banner: banner } : {}),
  }
}

function isId(value: unknown): value is string {
  return typeof value === 'string' && ID.test(value)
}
