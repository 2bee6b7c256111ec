import { ETHER, type Hex, uint } from '../../src/core/base/Bytes.ts'
import { addressOf } from '../../src/core/base/Signature.ts'
import type { Row } from '../../src/core/base/Step.ts'
import { registry } from '../../src/core/base/Verdicts.ts'
import type { Alarm } from '../../src/core/plasma/Alarm.ts'
import * as Archive from '../../src/core/plasma/Archive.ts'
import type { PlasmaCall } from '../../src/core/plasma/Call.ts'
import { deployed } from '../../src/core/plasma/Draft.ts'
import type { Signed } from '../../src/core/plasma/Ledger.ts'
import type { WalletOutput } from '../../src/core/plasma/Purse.ts'
import { rootChain } from '../../src/core/plasma/RootChain.ts'
import type { SeenEvent } from '../../src/core/plasma/Seen.ts'
import { callValue } from '../../src/core/plasma/Sending.ts'
import { simulatedL1 } from '../../src/edge/chain/SimulatedL1.ts'
import { Fault } from '../../src/edge/Fault.ts'
import type { OperatorApi } from '../../src/edge/http/OperatorApi.ts'
import type { Store } from '../../src/edge/store/Store.ts'
import { Operator } from '../../src/role/Operator.ts'
import { Wallet } from '../../src/role/Wallet.ts'
import { Watcher } from '../../src/role/Watcher.ts'
import { type Body, body, disk, type Rpc } from '../world/Body.ts'
import { dice, scheduler } from '../world.ts'
import { type Name, PEOPLE, type Script, type Who } from './Act.ts'
import type { Book, Broken, Gate, Ground, Host, Lane, Run } from './Ground.ts'
import {
  BONDS,
  CHAIN,
  COURT,
  DOMAIN,
  hashOf,
  INTERVAL,
  keepBlock,
  keyOf,
  MARGIN,
  MFP,
  NOBODY,
  PATIENCE,
  PURSE,
  REGISTRY,
  THIEF_KEY,
  TOKEN,
} from './Scene.ts'
import { Thief } from './Thief.ts'

/** Everything of one history. */
export interface Stage extends Ground {
  readonly thief: Thief
}

/** The world of a script, with nobody in it yet. */
export function stage(script: Script, broken: Broken): Stage {
  const random = dice(script.seed)
  const order = scheduler(random)
  const asset = script.setting.token ? TOKEN : ETHER
  const owners = PEOPLE.map((who) => addressOf(keyOf(who)))
  const refuses = (_asset: Hex, to: Hex) => script.setting.refuses && to === owners[0]
  const l1 = simulatedL1({ interval: INTERVAL, schedule: order.lane(), refuses })
  const bonds = { bondGas: 150_000n, feeFloor: 10n ** 9n, feeCeiling: 200n * 10n ** 9n }
  const state = deployed({ court: DOMAIN, mfp: MFP, margin: MARGIN, alarm: 12 * 3600, ...bonds })
  const rules: typeof rootChain = (court, call, env) => rootChain(court, call, { ...env, natureOf: () => 'fungible' })
  l1.deploy(REGISTRY, registry, { verdicts: new Map() })
  const court = l1.deploy(COURT, rules, state, (call, fee, by) => callValue(state.terms, call, fee, by), REGISTRY)
  for (const owner of [...owners, addressOf(THIEF_KEY), addressOf(uint(0x7777, 32)), CHAIN.operator]) {
    l1.money.mint(ETHER, owner, BONDS)
    l1.money.mint(asset, owner, PURSE)
  }
  const host = (name: Name): Host => {
    const dead = body()
    dead.kill()
    const lanes = { loop: gate(order.lane()), chain: gate(order.lane()) }
    return { name, ...lanes, disk: disk(), body: dead, isDown: false, role: undefined }
  }
  const book = (who: Who): Book => ({
    owner: addressOf(keyOf(who)),
    ...{ told: new Map(), signed: new Map(), paid: new Set(), dead: new Set() },
  })
  const names = [...PEOPLE, 'operator', 'watcher'] as const
  const on: Stage = {
    ...{ script, broken, dice: random, scheduler: order, l1, court, asset },
    hosts: Object.fromEntries(names.map((name) => [name, host(name)])) as Record<Name, Host>,
    books: Object.fromEntries(PEOPLE.map((who) => [who, book(who)])) as Record<Who, Book>,
    thief: new Thief(),
    heard: [],
    ...{ commits: [], blocks: new Map(), acknowledged: new Set<Hex>(), dropped: new Set<Hex>() },
    ...{ alarms: [], faults: [], violations: [], seen: new Map() },
    mood: { calm: true, late: 0, turned: false, salt: 0 },
  }
  listen(on)
  return on
}

function gate(lane: Lane): Gate {
  const waiting: Run[] = []
  let holds = false
  const enter = (run: Run) => (holds ? void waiting.push(run) : lane(run))
  function hold(on: boolean): void {
    holds = on
    if (!on) for (const run of waiting.splice(0)) lane(run)
  }
  return Object.assign(enter, { hold })
}

/** Follows layer 1 as it is, without delay. */
function listen(on: Stage): void {
  const raw = on.court.connect(NOBODY, (run) => run())
  raw.follow(0, ({ kind, block }) => {
    if (kind === 'block') on.heard.push(block)
    else on.heard.pop()
    for (const event of block.events) {
      see(on, kind === 'block' ? event.name : `retracted ${event.name}`)
      on.thief.hear(event, kind === 'block')
      if (event.name !== 'Committed') continue
      const { number, header: head, time, asOf } = event
      if (kind === 'block') on.commits.push({ number, header: head, time, asOf })
      else on.commits.pop()
    }
  })
}

/** Counts one of what has happened. */
export function see(on: Stage, what: string): void {
  on.seen.set(what, (on.seen.get(what) ?? 0) + 1)
}

function rpc(on: Stage, name: Name): Rpc {
  const { dice: random, mood, broken } = on
  const idle = name === 'watcher' && broken.isWatcherIdle
  return {
    fate: () => (idle ? 'unsent' : mood.calm || !random.chance(8) ? 'good' : random.chance(2) ? 'unsent' : 'unheard'),
    behind: () => (mood.calm ? 0 : random.roll(3)),
    fails: () => !mood.calm && random.chance(10),
  }
}

/** Starts somebody's process with what its disk holds. */
export function start(on: Stage, host: Host): void {
  host.body.kill()
  host.role = undefined
  if (host.name === 'operator' && on.mood.turned) return
  const life = body(({ point, when, how }) => see(on, `${how} ${when} a ${point}`))
  host.body = life
  host.isDown = false
  see(on, 'start')
  try {
    host.role = roleOf(on, host, life)
    life.atEnd(() => host.role?.stop())
  } catch (why) {
    failed(on, host, life, why)
  }
}

function failed(on: Stage, { name }: Host, life: Body, why: unknown): void {
  if (!life.isAlive()) return
  if (!(why instanceof Fault && why.code === 'StoreFailed')) on.faults.push(`${name}: ${String(why)}`)
  life.kill()
}

function roleOf(on: Stage, host: Host, life: Body): Wallet | Operator | Watcher {
  const { script, broken } = on
  const { name } = host
  const { confirmations, fee, life: numbers } = script.setting
  const operator = { ...CHAIN }.operator
  const own = name === 'operator' ? operator : name === 'watcher' ? addressOf(uint(0x7777, 32)) : on.books[name].owner
  const raw = on.court.connect(own, host.chain)
  const l1 = { ...life.chain<PlasmaCall, SeenEvent>(raw, rpc(on, name)), reveal: raw.reveal }
  const wrap = name === 'operator' ? broken.operatorStore : name === 'watcher' ? undefined : broken.store
  const store = life.store(noting(on, name, (wrap ?? ((inner: Store) => inner))(host.disk.store)))
  const common = {
    ...{ l1, store, from: 0, schedule: life.schedule(host.loop) },
    onFailure: life.whileAlive((why: unknown) => failed(on, host, life, why)),
  }
  if (name === 'operator') {
    const fees = fee === 0 ? [] : [{ asset: on.asset, amount: BigInt(fee) }]
    const params = { path: [CHAIN], depth: confirmations, margin: MARGIN, fees, maxTransactions: 6 }
    return new Operator({
      ...common,
      params,
      onOutput: (output) => {
        if (output.kind === 'sealed') keepBlock(on, Archive.storedTransactions(host.disk.store, output.number))
        if (output.kind === 'dropped') on.dropped.add(output.txHash)
      },
    })
  }
  const api = serviceOf(on, host)
  if (name === 'watcher') {
    const times = { depth: confirmations, patience: PATIENCE, warning: 86_400 }
    const onAlarm = (alarm: Alarm) => {
      see(on, alarm.name)
      on.alarms.push(alarm)
    }
    return new Watcher({ ...common, ...times, operator: api, path: [CHAIN], onAlarm })
  }
  const patience = broken.isPatient ? 2 ** 40 : PATIENCE
  const depth = broken.isHasty ? 0 : confirmations
  const params = { path: [CHAIN], key: keyOf(name), depth, patience, life: numbers, guard: !broken.noGuard }
  const onOutput = life.whileAlive((output: WalletOutput) => hear(on, name, output))
  return new Wallet({ ...common, params, operator: api, onOutput })
}

/** Notes what a wallet signs: it is durable before anybody hears of it. */
function noting(on: Stage, name: Name, store: Store): Store {
  if (name === 'operator' || name === 'watcher') return store
  const commit = (rows: readonly Row[]) => {
    store.commit(rows)
    for (const { table, key, value } of rows) {
      if (table === 'payments' && value !== undefined) on.books[name].signed.set(key as Hex, value as unknown as Signed)
    }
  }
  return { ...store, commit }
}

/** The operator as somebody reaches it: honest and there, or turned, or not there; answers get lost. */
function serviceOf(on: Stage, host: Host): Pick<OperatorApi, 'block' | 'submit'> {
  const gone = new Fault('PeerUnreachable', 'nobody answers')
  const lost = () => !on.mood.calm && on.script.setting.rough > 0 && on.dice.chance(on.script.setting.rough)
  const ask = async <T>(question: (api: Pick<OperatorApi, 'block' | 'submit'>) => Promise<T>): Promise<T> => {
    const { role, body: life } = on.hosts.operator
    if (lost()) throw gone
    const api = on.mood.turned
      ? on.thief.api(on)
      : life.isAlive() && !life.hasFailed()
        ? (role as Operator | undefined)?.api
        : undefined
    if (!api) throw gone
    const answer = await question(api)
    if (lost() || !host.body.isAlive()) throw gone
    return answer
  }
  return {
    block: (number) => ask((api) => api.block(number)),
    async submit(signed) {
      const hash = hashOf(signed)
      on.thief.overhear(signed)
      return ask(async (api) => {
        const answer = await api.submit(signed)
        if (!on.mood.turned) on.acknowledged.add(hash)
        return answer
      })
    },
  }
}

function hear(on: Stage, who: Who, output: WalletOutput): void {
  const { told, paid, dead } = on.books[who]
  see(on, output.kind)
  if (output.kind === 'deposited' || output.kind === 'received') told.set(output.id, output.output.value)
  if (output.kind === 'paid') paid.add(output.txHash)
  if (output.kind === 'failed') dead.add(output.txHash)
}
