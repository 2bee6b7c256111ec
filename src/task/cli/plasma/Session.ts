import { Wallet as Signer } from 'ethers'
import type { Hex } from '../../../core/base/Bytes.ts'
import { addressOf } from '../../../core/base/Signature.ts'
import { Refusal } from '../../../core/base/Step.ts'
import { isSynced } from '../../../core/plasma/Follower.ts'
import type { WalletOutput } from '../../../core/plasma/Purse.ts'
import { headOf } from '../../../core/plasma/View.ts'
import { balanceOf } from '../../../edge/chain/Gas.ts'
import { header, httpNode, type Node } from '../../../edge/chain/Node.ts'
import { type PlasmaChain, plasmaChain } from '../../../edge/chain/PlasmaChain.ts'
import { Fault, reason } from '../../../edge/Fault.ts'
import type { OperatorApi } from '../../../edge/http/OperatorApi.ts'
import { operatorClient } from '../../../edge/http/OperatorClient.ts'
import { openStore } from '../../../edge/store/Sqlite.ts'
import type { Store } from '../../../edge/store/Store.ts'
import { Wallet } from '../../../role/Wallet.ts'
import type { Call } from '../Command.ts'
import { unlessInterrupted } from '../Errand.ts'
import { smallest } from '../Event.ts'
import { keyFrom } from '../Key.ts'
import type { Unit } from '../Money.ts'
import { Trouble } from '../Trouble.ts'
import { unitOf } from '../Units.ts'
import { sentence } from './Refused.ts'
import { configOf, homeOf, idOf, operatorOf, type PlasmaConfig, type PlasmaHome } from './Settings.ts'

/** Numbers in which a payment may be included before it is dead. */
const LIFE = 100
/** Seconds of layer 1 in which a block must be served. */
export const PATIENCE = 6 * 3600
/** Milliseconds between looks at how far a wallet is, and between lines that tell it. */
const LOOK = 20
const TELL = 3000

/** A wallet that knows all that layer 1 and its operator tell, for as long as one command takes. */
export interface Session {
  readonly home: PlasmaHome
  readonly config: PlasmaConfig
  readonly wallet: Wallet
  readonly store: Store
  readonly l1: PlasmaChain
  readonly api: OperatorApi
  /** Why the operator could not be asked, or undefined if it answers. */
  readonly silence: () => string | undefined
  /** What has happened to the wallet since it was opened. */
  readonly heard: readonly WalletOutput[]
  /** Second of layer 1's newest block. */
  readonly time: () => Promise<number>
  /** Wei of the wallet's address on layer 1. */
  readonly onLayer1: () => Promise<bigint>
  /** What amounts of an asset are counted in; smallest units where the token does not tell. */
  readonly unit: (asset: Hex) => Promise<Unit>
  /** Waits until something holds, `seconds` at most; whether it does. */
  readonly until: (holds: () => boolean, seconds: number) => Promise<boolean>
}

/**
 * Opens the wallet of a folder for this process alone, brings it up to date, runs a command on it and closes it. Without
 * the operator it knows what layer 1 tells. `left` says what to do after an interruption. Troubles: WalletBusy,
 * Interrupted, and whatever the wallet refuses.
 */
export async function withWallet<T>(call: Call, left: string, run: (session: Session) => Promise<T>): Promise<T> {
  const home = homeOf(call)
  const config = configOf(call)
  const ends: (() => unknown)[] = []
  const { promise: failed, reject } = Promise.withResolvers<never>()
  failed.catch(() => undefined) // heard below
  const work = async () => {
    const session = await opened(call, home, config, ends, (why) => reject(failure(why)))
    await caughtUp(call, session)
    return run(session)
  }
  try {
    return await unlessInterrupted(Promise.race([work(), failed]), left)
  } catch (why) {
    throw why instanceof Refusal ? new Trouble(why.code, sentence(why), why) : why
  } finally {
    for (const end of ends.reverse()) await end()
  }
}

function failure(why: unknown): Trouble {
  if (why instanceof Refusal) return new Trouble(why.code, sentence(why), why)
  const what = reason(why).split('\n')[0]
  return new Trouble('WalletFailed', `the wallet could not go on: ${what}; see to that and try again`, why)
}

async function opened(
  call: Call,
  home: PlasmaHome,
  config: PlasmaConfig,
  ends: (() => unknown)[],
  onFailure: (why: unknown) => void,
): Promise<Session> {
  const key = await keyFrom(call, home.keystore)
  const store = storeAt(home, config, addressOf(key))
  ends.push(() => store.close())
  const node = await httpNode(config.rpc, BigInt(config.chainId))
  ends.push(() => node.destroy())
  const onFault = (why: unknown) => call.note(`trouble: ${reason(why).split('\n')[0]}`)
  const parts = { provider: node, signer: new Signer(key, node), court: config.court, onFault }
  const l1 = await plasmaChain(parts)
  const { api, silence } = listened(operatorOf(home, config))
  const heard: WalletOutput[] = []
  const wallet = new Wallet({
    l1,
    store,
    operator: api,
    params: {
      ...{ path: config.path, key, depth: config.confirmations - 1, life: LIFE },
      ...{ patience: PATIENCE, alarm: l1.terms.alarm },
      // A command does what was asked for and no more: it is kerros plasma watch that acts by itself.
      guard: false,
    },
    from: config.since,
    onOutput: (output) => heard.push(output),
    onFailure,
  })
  ends.push(() => wallet.stop())
  return {
    ...{ home, config, wallet, store, l1, api, silence, heard, until },
    time: () => timeOf(node),
    onLayer1: () => balanceOf(node, wallet.owner),
    unit: (asset) => unitOf(home, config, asset).catch(() => smallest(asset)),
  }
}

function storeAt(home: PlasmaHome, config: PlasmaConfig, owner: Hex): Store {
  try {
    return openStore(home.wallet, `kerros wallet of ${owner} on ${idOf(config)}`)
  } catch (why) {
    if (!(why instanceof Fault) || why.code !== 'StoreBusy') throw why
    throw new Trouble('WalletBusy', `Another command works with the wallet of ${home.folder}: wait for its end`, why)
  }
}

async function timeOf(node: Node): Promise<number> {
  return (await header(node, 'latest'))?.time ?? 0
}

/** The operator, and whether it can be asked: what it refuses is an answer, too. */
function listened(url: string): Pick<Session, 'api' | 'silence'> {
  const api = url === '' ? NOBODY : operatorClient(url)
  let silence: string | undefined
  const hear =
    <Args extends readonly unknown[], T>(ask: (...args: Args) => Promise<T>) =>
    async (...args: Args): Promise<T> => {
      try {
        const answer = await ask(...args)
        silence = undefined
        return answer
      } catch (why) {
        silence = why instanceof Refusal ? undefined : reason(why).split('\n')[0]
        throw why
      }
    }
  const { status, fees, submit, block } = api
  const heard = { status: hear(status), fees: hear(fees), submit: hear(submit), block: hear(block) }
  return { api: { ...api, ...heard }, silence: () => silence }
}

const silent = () =>
  Promise.reject(new Fault('PeerUnreachable', 'No operator is known: name one with --operator, or in plasma.json'))
const ASKED = { status: silent, fees: silent, submit: silent, submitAll: silent }
const TREE = { openings: silent, tender: silent, offer: silent, openingsOf: silent }
const LOOKED = { transaction: silent, deposits: silent }
/** An operator that never answers. */
const NOBODY: OperatorApi = { ...ASKED, ...LOOKED, block: silent, proof: silent, unspent: silent, ...TREE }

async function until(holds: () => boolean, seconds: number): Promise<boolean> {
  const end = Date.now() + seconds * 1000
  while (!holds()) {
    if (Date.now() > end) return false
    await pause()
  }
  return true
}

function pause(): Promise<void> {
  return new Promise((done) => setTimeout(done, LOOK))
}

/**
 * Waits until the wallet has seen layer 1's newest block, and has checked every block of its chain that anybody serves:
 * each that is lacking is asked for once more.
 */
async function caughtUp(call: Call, { wallet, l1, api }: Session): Promise<void> {
  const goal = await l1.head()
  await api.status().catch(() => undefined)
  let [told, asked, lacking] = [Date.now(), 0, 0]
  while (true) {
    const { follower } = wallet.state
    const { commits, view, bad } = follower
    const isSeen = isSynced(follower) && headOf(view) >= goal
    if (isSeen && commits.length === 0) return
    if (commits.length !== lacking) [asked, lacking] = [0, commits.length]
    if (isSeen && follower.asked === undefined) {
      if (asked++ > (bad ? commits.length : 1)) return
      wallet.tick()
    }
    if (Date.now() > told + TELL) {
      call.note(isSeen ? `Checks block ${follower.ledger.number}` : `Reads layer 1: ${headOf(view)} of ${goal}`)
      told = Date.now()
    }
    await pause()
  }
}
