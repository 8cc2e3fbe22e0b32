import { createHmac } from 'node:crypto'
import { addressNetwork } from './address-network.ts'

/** Under what an address is kept as known: keyed, so that the table tells nobody where people are. */
export function knownAddressKey(key: Uint8Array): (address: string) => Buffer {
  return (address) =>
    createHmac('sha256', key)
      .update(`known address\0${addressNetwork(address)}`)
      .digest()
      .subarray(0, 16)
}
