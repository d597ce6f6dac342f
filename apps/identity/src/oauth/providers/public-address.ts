import { BlockList, isIPv4 } from 'node:net'

/** Addresses of the Internet's registries that lead to nobody's public server, whatever routes to them. */
const NOT_PUBLIC_IPV4 = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
]
/** Special blocks inside the global unicast space; 2001::/23 and 2002::/16 hide IPv4 addresses. */
const NOT_PUBLIC_IPV6 = ['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20']

const special = blockList(NOT_PUBLIC_IPV4, NOT_PUBLIC_IPV6)
const globalIPv6 = blockList([], ['2000::/3'])
const mapped = blockList([], ['::ffff:0:0/96'])

/** Whether an IP address is one of the public Internet. IPv4 inside IPv6 is judged as IPv4. */
export function isPublicAddress(address: string): boolean {
  if (isIPv4(address)) return !special.check(address, 'ipv4')
  const global = globalIPv6.check(address, 'ipv6') || mapped.check(address, 'ipv6')
  // Node holds a mapped address against the IPv4 blocks as well.
  return global && !special.check(address, 'ipv6')
}

function blockList(ipv4: readonly string[], ipv6: readonly string[]): BlockList {
  const list = new BlockList()
  for (const block of ipv4) list.addSubnet(...parts(block), 'ipv4')
  for (const block of ipv6) list.addSubnet(...parts(block), 'ipv6')
  return list
}

function parts(block: string): [string, number] {
  const [network = '', bits] = block.split('/')
  return [network, Number(bits)]
}
