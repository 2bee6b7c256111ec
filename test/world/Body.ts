import type { Plain, Row } from '../../src/core/base/Step.ts'
import type { Chain } from '../../src/edge/chain/Chain.ts'
import { Fault } from '../../src/edge/Fault.ts'
import { memoryStore } from '../../src/edge/store/Memory.ts'
import type { Store } from '../../src/edge/store/Store.ts'
import type { Connection, Transport } from '../../src/edge/transport/Transport.ts'

type Run = () => void

/** Where a process may end: at a commit of its store, at a message, at a transaction. */
export type Point = 'commit' | 'send' | 'call'

/** Ends a process at the `after`-th next point of its kind, or makes its store fail there; before or after it is done. */
export interface Fuse {
  readonly point: Point
  readonly after: number
  readonly when: 'before' | 'after'
  readonly how: 'crash' | 'fail'
}

/** What outlives a process: the rows as of its last commit. */
export interface Disk {
  readonly store: Store
  /** Everything that it holds. */
  copy(): readonly Row[]
}

/** A disk that holds some rows. */
export function disk(rows: readonly Row[] = []): Disk {
  const inner = memoryStore()
  const kept = new Map<string, Row>()
  function commit(more: readonly Row[]): void {
    inner.commit(more)
    for (const row of more) kept.set(`${row.table} ${row.key}`, row)
  }
  commit(rows)
  return { store: { ...inner, commit, close: () => undefined }, copy: () => [...kept.values()] }
}

/** One life of a process: its edges work until it is killed, from then on it is heard by nobody. */
export interface Body {
  isAlive(): boolean
  /** Whether its store has failed: it must say nothing more. */
  hasFailed(): boolean
  kill(): void
  /** Runs `run` when it dies, as the system takes back what a process held. */
  atEnd(run: Run): void
  /** Lights a fuse. */
  arm(fuse: Fuse): void
  /** Ends all connections. */
  cut(): void
  schedule(lane: (run: Run) => void): (run: Run) => void
  store(at: Store): Store
  transport(raw: Transport, heard: (message: Plain) => void): Transport
  chain<Call, Event>(raw: Chain<Call, Event>, weather: Rpc): Chain<Call, Event>
  /** Runs `run` if it is alive then. */
  whileAlive<Args extends readonly unknown[]>(run: (...args: Args) => void): (...args: Args) => void
}

/** How an RPC endpoint is now: whether a question fails, or a transaction's sending, unsent or sent, and how far its head is behind. */
export interface Rpc {
  fails(): boolean
  fate(): 'good' | 'unsent' | 'unheard'
  behind(): number
}

const UNREACHABLE = new Fault('ChainUnreachable', 'the endpoint does not answer; name another one')
const FAILED = new Fault('StoreFailed', 'the disk is full; make room and start again')

/** A process that has just begun; `onBlow` hears of its fuses. */
export function body(onBlow: (fuse: Fuse) => void = () => undefined): Body {
  let alive = true
  let failed = false
  const fuses: { fuse: Fuse; left: number }[] = []
  const ends: Run[] = []
  const wires = new Set<Connection>()

  function kill(): void {
    alive = false
    for (const end of ends.splice(0)) end()
    for (const wire of wires) wire.close()
  }

  function atEnd(run: Run): void {
    if (alive) ends.push(run)
    else run()
  }

  function blow(fuse: Fuse): void {
    onBlow(fuse)
    if (fuse.how === 'crash') kill()
    else failed = true
  }

  /** Passes a point; returns whether the process has outlived it. */
  function pass(point: Point, run: Run): boolean {
    if (!alive) return false
    const found = fuses.find((one) => one.fuse.point === point && one.left-- === 0)
    if (found?.fuse.when === 'before') blow(found.fuse)
    if (found?.fuse.when !== 'before') run()
    if (found?.fuse.when === 'after') blow(found.fuse)
    return alive && !found
  }

  const whileAlive: Body['whileAlive'] =
    (run) =>
    (...args) => {
      if (alive) run(...args)
    }

  function wire(raw: Connection, heard: (message: Plain) => void): Connection {
    wires.add(raw)
    const say = (message: Plain) => {
      heard(message)
      raw.send(message)
    }
    return {
      send: (message) => void pass('send', () => say(message)),
      close: () => raw.close(),
      get onMessage() {
        return raw.onMessage
      },
      set onMessage(listen) {
        raw.onMessage = whileAlive(listen)
      },
      get onClose() {
        return raw.onClose
      },
      set onClose(listen) {
        raw.onClose = whileAlive(listen)
      },
    }
  }

  function chain<Call, Event>(raw: Chain<Call, Event>, rpc: Rpc): Chain<Call, Event> {
    const { chainId, court, sender } = raw
    const reached = () => {
      if (rpc.fails()) throw UNREACHABLE
    }
    return {
      chainId,
      court,
      sender,
      async verdict(condition, key, at) {
        reached()
        return raw.verdict(condition, key, at)
      },
      async head() {
        reached()
        return Math.max(0, (await raw.head()) - rpc.behind())
      },
      follow(from, sink) {
        const stop = raw.follow(from, whileAlive(sink))
        atEnd(stop)
        return stop
      },
      send: (call, deadline) =>
        new Promise((done, refused) => {
          const fate = rpc.fate()
          const passed = pass('call', () => {
            const [told, lost] = [whileAlive(done), whileAlive(refused)]
            if (fate === 'good') raw.send(call, deadline).then(told, lost)
            else if (fate === 'unheard') raw.send(call, deadline).catch(() => undefined)
          })
          if (passed && fate !== 'good') refused(UNREACHABLE)
        }),
    }
  }

  return {
    isAlive: () => alive,
    hasFailed: () => failed,
    kill,
    atEnd,
    arm: (fuse) => void fuses.push({ fuse, left: fuse.after }),
    cut() {
      for (const one of wires) one.close()
      wires.clear()
    },
    schedule: (lane) => (run) => lane(whileAlive(run)),
    store: (at) => ({
      ...at,
      commit(rows) {
        if (!pass('commit', () => at.commit(rows))) throw FAILED
      },
    }),
    transport: (raw, heard) => ({
      async listen(address, onConnection) {
        const listener = await raw.listen(address, (one) => (alive ? onConnection(wire(one, heard)) : one.close()))
        atEnd(() => void listener.close())
        return listener
      },
      dial: async (address) => wire(await raw.dial(address), heard),
    }),
    chain,
    whileAlive,
  }
}
