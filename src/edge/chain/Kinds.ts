import type { Hex } from '../../core/base/Bytes.ts'
import { ETHER } from '../../core/base/Bytes.ts'
import type { L1Block, L1Input } from '../../core/base/Step.ts'
import type { PlasmaCall, PlasmaEvent } from '../../core/plasma/Call.ts'
import type { Kind } from '../../core/plasma/Draft.ts'
import type { SeenEvent } from '../../core/plasma/Seen.ts'
import type { Chain } from './Chain.ts'

/** Followers that are told of kinds, and when they have all that came. */
export interface Told extends Pick<Chain<PlasmaCall, SeenEvent>, 'follow'> {
  /** Resolves when every follower has been told everything that came up to now. */
  settled(): Promise<void>
}

/**
 * The followers of a Plasma court, each told the kind of a token right before every deposit of it, in the order of the
 * blocks. A kind is fixed by the first deposit; `kindOf` asks the court for it, and is asked again every `retry`
 * milliseconds until it answers: until then nothing later is told.
 */
export function withKinds(
  court: Pick<Chain<PlasmaCall, PlasmaEvent>, 'follow'>,
  kindOf: (asset: Hex) => Promise<Kind>,
  retry = 250,
): Told {
  const lines = new Set<Promise<void>>()
  return {
    settled: async () => void (await Promise.all(lines)),
    follow(from, sink) {
      const line: Line = { stopped: false, waiting: undefined }
      const stop = court.follow(from, (input) => {
        if (!line.waiting && tokensOf(input.block).size === 0) return sink(input)
        const mine = (line.waiting ?? Promise.resolve()).then(() => tell(line, input, sink, kindOf, retry))
        const turn = mine.finally(() => {
          lines.delete(turn)
          if (line.waiting === turn) line.waiting = undefined
        })
        line.waiting = turn
        lines.add(turn)
      })
      return () => {
        line.stopped = true
        stop()
      }
    },
  }
}

/** One follower: what it waits for, if it does. */
interface Line {
  stopped: boolean
  waiting: Promise<void> | undefined
}

function tokensOf({ events }: L1Block<PlasmaEvent>): Set<Hex> {
  const deposits = events.flatMap((event) => (event.name === 'Deposited' ? event.asset : []))
  return new Set(deposits.filter((asset) => asset !== ETHER))
}

async function tell(
  line: Line,
  input: L1Input<PlasmaEvent>,
  sink: (input: L1Input<SeenEvent>) => void,
  kindOf: (asset: Hex) => Promise<Kind>,
  retry: number,
): Promise<void> {
  const kinds = new Map<Hex, Kind>()
  for (const asset of tokensOf(input.block)) {
    while (!line.stopped && !kinds.has(asset)) {
      const kind = await kindOf(asset).catch(() => undefined)
      if (kind) kinds.set(asset, kind)
      else await new Promise((done) => setTimeout(done, retry))
    }
  }
  if (line.stopped) return
  const events = input.block.events.flatMap((event): readonly SeenEvent[] => {
    const kind = event.name === 'Deposited' ? kinds.get(event.asset) : undefined
    return kind && event.name === 'Deposited' ? [{ name: 'KindTold', asset: event.asset, kind }, event] : [event]
  })
  sink({ ...input, block: { ...input.block, events } })
}
