import { isIPv6 } from 'node:net'

/** What failures are counted for: an account from one network, and the network whatever the account. */
export type ThrottleKind = 'account' | 'network'

/** Failed attempts so far. */
export interface Failures {
  readonly kind: ThrottleKind
  readonly failures: number
  readonly lastFailedAt: Date
}

/** How many failures are free. A network may hold many people. */
const FREE: Readonly<Record<ThrottleKind, number>> = { account: 5, network: 50 }
const LONGEST_WAIT_MS = 15 * 60_000
const FIRST_WAIT_MS = 1000

/** After so long without a failure, earlier ones are forgotten, in milliseconds. */
export const FORGET_MS = 60 * 60_000

/**
 * How long the next attempt must wait: nothing before the fifth failure, then 1 s, doubled by each further one, up to
 * 15 minutes. Attempts that come too early are refused unseen and do not count. Accounts are counted per network, so
 * that nobody can lock another out from elsewhere.
 * @returns milliseconds from `now` on; 0 when it may go ahead
 */
export function waitMs(counted: readonly Failures[], now: Date): number {
  const waits = counted.map(({ kind, failures, lastFailedAt }) => {
    const agoMs = now.getTime() - lastFailedAt.getTime()
    return agoMs >= FORGET_MS ? 0 : waitAfter(failures - FREE[kind]) - agoMs
  })
  return Math.max(0, ...waits)
}

function waitAfter(excess: number): number {
  return excess < 0 ? 0 : Math.min(FIRST_WAIT_MS * 2 ** excess, LONGEST_WAIT_MS)
}

/**
 * The network of an address: an IPv4 address by itself, of IPv6 the /64, within which a host may take any address.
 * @param address canonical; null if unknown
 */
export function networkOf(address: string | null): string {
  if (address === null) return 'unknown'
  if (!isIPv6(address)) return address
  const [withoutZone = ''] = address.split('%')
  const [head = '', tail] = withoutZone.split('::')
  const front = groupsOf(head)
  const back = groupsOf(tail ?? '')
  const missing = tail === undefined ? 0 : 8 - front.length - back.length
  const groups = [...front, ...Array.from({ length: missing }, () => '0'), ...back]
  const hex = groups.slice(0, 4).map((group) => parseInt(group, 16).toString(16))
  return `${hex.join(':')}::/64`
}

/** An IPv4 address at the end stands for two groups; which ones does not matter for a /64. */
function groupsOf(text: string): string[] {
  return text === ''
    ? []
    : text.split(':').flatMap((part) => (part.includes('.') ? ['0', '0'] : part))
}
