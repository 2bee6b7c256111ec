import { type Profiler, Session } from 'node:inspector'

/** Microseconds of a process by group, `idle` among them. */
export type Shares = Readonly<Record<string, number>>

/** What a frame's file and function belong to: the first that fits. What fits none belongs to whoever called it. */
const GROUPS: readonly (readonly [group: string, fits: RegExp])[] = [
  ['idle', /^ \(idle\)$/],
  ['garbage', /^ \(garbage collector\)$/],
  ['rest', /^ \((?:program|root)\)$/],
  ['keccak', /^wasm:|\/hash-wasm\/| keccak\w*$/],
  ['signatures', /\/secp256k1\/|\/@noble\/| (?:sign|recover|isSignedBy)$/],
  ['sqlite', /\/edge\/store\/|^node:sqlite/],
  ['sockets', /\/edge\/transport\/|^node:(?:net|stream|internal\/streams?|internal\/stream_base_commons)/],
  [
    'codec',
    /\/edge\/Codec|\/core\/channel\/(?:Lot|Packed|Wire)\.|\/core\/base\/Bytes\.|^node:(?:buffer|internal\/buffer)/,
  ],
  ['machine', /\/core\//],
  ['promises', /\/role\/(?:Payments|Together)\.|\/bench\/|^node:internal\/process\/| runMicrotasks$/],
  ['loop', /\/role\//],
]

/** The groups in the order in which they are told of. */
export const NAMES = GROUPS.map(([group]) => group).filter((group) => group !== 'idle' && group !== 'rest')

/** Starts to look where this process spends its time; what comes back ends it and tells. */
export async function profiled(): Promise<() => Promise<Shares>> {
  const session = new Session()
  session.connect()
  const ask = <T>(method: string, params: object = {}) =>
    new Promise<T>((done, failed) => {
      session.post(method, params, (why, answer) => (why ? failed(why) : done(answer as T)))
    })
  await ask('Profiler.enable')
  await ask('Profiler.setSamplingInterval', { interval: 500 })
  await ask('Profiler.start')
  return async () => {
    const { profile } = await ask<Profiler.StopReturnType>('Profiler.stop')
    session.disconnect()
    return sharesOf(profile)
  }
}

/** The time of every sample goes to the group of its innermost frame that has one. */
export function sharesOf({ nodes, samples = [], timeDeltas = [] }: Profiler.Profile): Shares {
  const caller = new Map(nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id] as const)))
  const own = new Map(nodes.map(({ id, callFrame }) => [id, groupOf(`${callFrame.url} ${callFrame.functionName}`)]))
  const shares: Record<string, number> = {}
  for (const [i, sample] of samples.entries()) {
    let at: number | undefined = sample
    while (at !== undefined && own.get(at) === undefined) at = caller.get(at)
    const group = (at === undefined ? undefined : own.get(at)) ?? 'rest'
    shares[group] = (shares[group] ?? 0) + (timeDeltas[i] ?? 0)
  }
  return shares
}

function groupOf(frame: string): string | undefined {
  return GROUPS.find(([, fits]) => fits.test(frame))?.[0]
}
