import { encode } from '../Codec.ts'
import { Fault } from '../Fault.ts'
import { Endpoint, MAX_FRAME } from './Endpoint.ts'
import type { Connection, Transport } from './Transport.ts'

/** What becomes of one message on a simulated wire. Absent fields: it arrives once, at its turn. */
export interface Fate {
  /** How often it arrives: 0 loses it, 2 doubles it. */
  readonly copies?: number
  /** How many turns it waits, and everything behind it. */
  readonly delay?: number
  /** How many messages before it on the wire it passes. */
  readonly overtakes?: number
  /** Whether the connection ends here, with everything that is on its way. */
  readonly cut?: boolean
}

/** Decides the fate of a message's text on its way from one end ('dialer' or 'listener') to the other at `address`. */
export type Weather = (text: string, from: 'dialer' | 'listener', address: string) => Fate

const FAIR: Weather = () => ({})

interface Parcel {
  readonly text: string
  delay: number
}

/** Peers in one process, found by name (an empty name is given one): the order of everything is `schedule`'s order. */
export function memoryTransport(schedule: (run: () => void) => void, weather: Weather = FAIR): Transport {
  const places = new Map<string, { onConnection(one: Connection): void; readonly open: Set<Endpoint> }>()

  return {
    async listen(wanted, onConnection) {
      const address = wanted || `memory:${places.size + 1}`
      if (places.has(address)) throw new Fault('PortInUse', `${address} is in use; name another address`)
      const open = new Set<Endpoint>()
      places.set(address, { onConnection, open })
      return {
        address,
        async close() {
          places.delete(address)
          for (const endpoint of open) endpoint.close()
        },
      }
    },
    async dial(address) {
      const place = places.get(address)
      if (!place)
        throw new Fault('PeerUnreachable', `nobody answers at ${address}; start the peer or check its address`)
      const [dialer, listener] = pair(schedule, (text, from) => weather(text, from, address))
      place.open.add(listener)
      schedule(() => place.onConnection(listener))
      return dialer
    },
  }
}

type Ends = readonly [dialer: Endpoint, listener: Endpoint]

function pair(schedule: (run: () => void) => void, weather: (text: string, from: 'dialer' | 'listener') => Fate): Ends {
  const cut = () => {
    for (const end of ends) end.fail('the connection was cut')
  }
  const ends: Ends = [
    lay(
      schedule,
      (text) => weather(text, 'dialer'),
      cut,
      () => ends[1],
    ),
    lay(
      schedule,
      (text) => weather(text, 'listener'),
      cut,
      () => ends[0],
    ),
  ]
  return ends
}

/** One end, with the wire from it to the end across. */
function lay(
  schedule: (run: () => void) => void,
  weather: (text: string) => Fate,
  cut: () => void,
  across: () => Endpoint,
): Endpoint {
  const parcels: Parcel[] = []
  let ending: { readonly why: string | undefined } | undefined

  function turn(): void {
    const first = parcels[0]
    if (first && first.delay-- > 0) schedule(turn)
    else if (first) across().receive(parcels.shift()!.text)
    if (parcels.length === 0 && ending) across().end(ending.why)
  }

  return new Endpoint({
    encode,
    transmit(frame) {
      const text = String(frame)
      const { copies = 1, delay = 0, overtakes = 0, cut: isCut = false } = weather(text)
      if (isCut) return cut()
      for (let i = 0; i < copies; i++) {
        parcels.splice(Math.max(0, parcels.length - overtakes), 0, { text, delay })
        schedule(turn)
      }
    },
    hangUp(why) {
      // As on TCP: a fault takes along what is on its way, a farewell comes after it.
      if (why !== undefined) parcels.length = 0
      ending = { why: why === undefined ? undefined : 'the peer ended the connection by a fault' }
      schedule(turn)
    },
    later: schedule,
    slice: 1,
    maxFrame: MAX_FRAME,
  })
}
