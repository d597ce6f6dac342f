import { BlockList, isIP, isIPv4, isIPv6 } from 'node:net'

/**
 * The canonical form of a CIDR block or single address: `10.0.0.1` is `10.0.0.1/32`; IPv4 mapped into IPv6 is IPv4.
 * @returns `undefined` when it is neither, or has bits beyond its prefix (`10.0.0.1/8`)
 */
export function canonicalCidr(text: string): string | undefined {
  const [, address = '', length] = /^([0-9a-f.:]+)(?:\/(0|[1-9]\d{0,2}))?$/i.exec(text) ?? []
  if (isIP(address) === 0) return undefined
  const width = isIPv4(address) ? 32 : 128
  const bits = length === undefined ? width : Number(length)
  if (bits > width) return undefined
  const mapped = mappedIPv4(address)
  return mapped !== undefined && bits >= 96
    ? withoutHostBits(mapped, bits - 96)
    : withoutHostBits(address, bits)
}

/** Whether an address lies in one of the blocks, all of them canonical. */
export function isAllowed(address: string, blocks: readonly string[]): boolean {
  const candidate = mappedIPv4(address) ?? address
  if (isIP(candidate) === 0) return false
  const family = familyOf(candidate)
  const list = new BlockList()
  for (const block of blocks) {
    const [network = '', bits] = block.split('/')
    // Node takes an IPv4 address for its mapped form, which ::/0 holds: families are kept apart here.
    if (familyOf(network) === family) list.addSubnet(network, Number(bits), family)
  }
  return list.check(candidate, family)
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIPv4(address) ? 'ipv4' : 'ipv6'
}

/** `10.1.2.3` for `::ffff:10.1.2.3`, however it is written. */
function mappedIPv4(address: string): string | undefined {
  if (!isIPv6(address)) return undefined
  const groups = groupsOf(address)
  if (groups.slice(0, 5).some((group) => group !== 0) || groups[5] !== 0xffff) return undefined
  const [high = 0, low = 0] = groups.slice(6)
  return [high >> 8, high & 255, low >> 8, low & 255].join('.')
}

function withoutHostBits(address: string, bits: number): string | undefined {
  const ipv4 = isIPv4(address)
  const groups = ipv4 ? address.split('.').map(Number) : groupsOf(address)
  const size = ipv4 ? 8 : 16
  const clean = groups.every((group, index) => {
    const kept = Math.min(Math.max(bits - index * size, 0), size)
    return (group & ((1 << (size - kept)) - 1)) === 0
  })
  if (!clean) return undefined
  const written = ipv4 ? address : new URL(`http://[${address}]`).hostname.slice(1, -1)
  return `${written}/${String(bits)}`
}

/** The eight groups of an IPv6 address. The URL parser knows every way to write one. */
function groupsOf(address: string): number[] {
  const compact = new URL(`http://[${address}]`).hostname.slice(1, -1)
  const [head = '', tail] = compact.split('::')
  const left = head === '' ? [] : head.split(':')
  const right = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = Array.from({ length: 8 - left.length - right.length }, () => '0')
  const all = tail === undefined ? left : [...left, ...zeros, ...right]
  return all.map((group) => Number.parseInt(group, 16))
}
