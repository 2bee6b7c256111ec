// How much one address may ask for. Who shares an address shares a bucket.

/** So many tokens a second come into a bucket, until `burst` are in it. */
export interface Rate {
  readonly perSecond: number
  readonly burst: number
}

/** Buckets by address. */
export interface Buckets {
  /** Takes tokens, or takes none and tells in how many seconds there are enough; 0 = taken. */
  take(from: string, tokens: number): number
}

/** Addresses that are remembered at once; a bucket that nobody remembers is full. */
const REMEMBERED = 20_000

interface Bucket {
  readonly tokens: number
  readonly time: number
}

/** Buckets at a rate; `now` tells the time in milliseconds. More than a burst is taken from a full bucket. */
export function buckets({ perSecond, burst }: Rate, now: () => number = () => performance.now()): Buckets {
  const known = new Map<string, Bucket>()

  function level(from: string, time: number): number {
    const bucket = known.get(from)
    return bucket ? Math.min(burst, bucket.tokens + ((time - bucket.time) * perSecond) / 1000) : burst
  }

  /** Those that are full again first; if none is, whoever asked longest ago. */
  function forget(time: number): void {
    for (const from of known.keys()) if (level(from, time) >= burst) known.delete(from)
    for (const from of known.keys()) if (known.size >= REMEMBERED) known.delete(from)
  }

  return {
    take(address, tokens) {
      const [from, time] = [networkOf(address), now()]
      const [have, need] = [level(from, time), Math.min(tokens, burst)]
      if (have < need) return Math.max(1, Math.ceil((need - have) / perSecond))
      if (known.size >= REMEMBERED && !known.has(from)) forget(time)
      known.delete(from)
      known.set(from, { tokens: have - need, time })
      return 0
    },
  }
}

/** Of IPv6 the first 64 bits, because whoever has one such address has all of them. */
function networkOf(address: string): string {
  if (!address.includes(':') || address.includes('.')) return address
  const [head = '', tail] = address.split('::')
  const [front, back] = [head.split(':'), tail === undefined ? [] : tail.split(':')]
  const groups = [...front, ...Array<string>(Math.max(0, 8 - front.length - back.length)).fill('0'), ...back]
  return groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group || '0', 16).toString(16))
    .join(':')
}
