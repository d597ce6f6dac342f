import { isIPv4 } from 'node:net'

/** One spelling per address: an IPv4 address mapped into IPv6 is that IPv4 address, IPv6 is lower case. */
export function canonicalAddress(address: string): string {
  const lower = address.toLowerCase()
  const mapped = lower.startsWith('::ffff:') ? lower.slice('::ffff:'.length) : ''
  return isIPv4(mapped) ? mapped : lower
}
