import { generateKeyPairSync, sign } from 'node:crypto'

/** Per second: RSA of 2048 bits or ECDSA on P-256, by one thread of Node with nothing around it. */
export function signsAlone(kind: 'rsa-2048' | 'ec-p256', seconds: number): number {
  const { privateKey } =
    kind === 'rsa-2048'
      ? generateKeyPairSync('rsa', { modulusLength: 2048 })
      : generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const input = Buffer.alloc(300, 'x')
  // As a JWS has it; RSA has but one form.
  const how =
    kind === 'rsa-2048' ? privateKey : { key: privateKey, dsaEncoding: 'ieee-p1363' as const }
  const once = () => sign('sha256', input, how)
  for (let turn = 0; turn < 200; turn += 1) once()
  // Of processor time: what else the machine does is no part of the limit.
  const before = process.cpuUsage()
  const endMs = performance.now() + seconds * 1000
  let count = 0
  for (; performance.now() < endMs; count += 1) once()
  const { user, system } = process.cpuUsage(before)
  return (count * 1e6) / (user + system)
}
