import { rmSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { Wallet as Signer } from 'ethers'
import { ETHER, type Hex, isHex } from '../../../core/base/Bytes.ts'
import { addressOf, domain, sign } from '../../../core/base/Signature.ts'
import { Refusal } from '../../../core/base/Step.ts'
import { chainId, ownOf, registrationDigest } from '../../../core/plasma/Chain.ts'
import type { OperatorOutput } from '../../../core/plasma/Office.ts'
import { balanceOf } from '../../../edge/chain/Gas.ts'
import { httpNode, type Node } from '../../../edge/chain/Node.ts'
import { plasmaChain } from '../../../edge/chain/PlasmaChain.ts'
import { registrationOf } from '../../../edge/chain/Registered.ts'
import { reason } from '../../../edge/Fault.ts'
import { operatorClient } from '../../../edge/http/OperatorClient.ts'
import { serveOperator } from '../../../edge/http/OperatorServer.ts'
import { threads } from '../../../edge/signature/Threads.ts'
import { openStore } from '../../../edge/store/Sqlite.ts'
import { Operator } from '../../../role/Operator.ts'
import { type Answer, type Call, option } from '../Command.ts'
import { keyFrom } from '../Key.ts'
import { ETH, formatMoney, parseMoney } from '../Money.ts'
import { isWhole } from '../Settings.ts'
import { type Ends, endAll, interrupted, stamped } from '../Stay.ts'
import { facts } from '../Table.ts'
import { parseDuration } from '../Time.ts'
import { Misuse, Trouble } from '../Trouble.ts'
import { unitOf } from '../Units.ts'
import { addressIn, assetOf } from './Ask.ts'
import { sentence } from './Refused.ts'
import { configOf, homeOf, idOf, listenOf, type PlasmaConfig, type PlasmaHome } from './Settings.ts'

/** Milliseconds between looks whether layer 1 shows the registration. */
const LOOK = 50

/** Runs the operator of a folder's chain until the process is told to end. */
export async function start(call: Call): Promise<undefined> {
  const [home, config] = [homeOf(call), configOf(call)]
  const [host, port] = listenOf(call)
  const told = interrupted()
  const key = await keyFrom(call, home.keystore)
  refuseOthers(config, addressOf(key))
  return daemon(call, told, async (ends, onFailure) => {
    const operator = await operatorOn(call, home, config, key, ends, onFailure)
    const onError = (why: unknown) => call.say(stamped(`trouble: ${reason(why).split('\n')[0]}`))
    const server = await serveOperator(operator.api, { host, port, onError })
    ends.push(() => server.close())
    const json = { home: home.folder, operator: addressOf(key), chain: idOf(config), api: server.url }
    writeFileSync(home.running, `${JSON.stringify({ ...json, pid: process.pid }, null, 2)}\n`)
    ends.push(() => rmSync(home.running, { force: true }))
    await registration(operator)
    const { committed } = operator.state
    const rows = [
      ['chain', `${json.chain}, registered on layer 1`],
      ['API', `${server.url}: users need it for kerros plasma init --operator`],
      ['blocks', `${committed} on layer 1`],
    ] as const
    return { json: { ...json, committed }, text: `${facts(rows)}\nRunning until Ctrl-C.` }
  })
}

/**
 * Runs something that stays: begins it, answers, and ends it when the process is told to, or when it can no longer go on.
 * Troubles: DaemonFailed, or what it was refused with.
 */
export async function daemon(
  call: Call,
  told: Promise<void>,
  begin: (ends: Ends, onFailure: (why: unknown) => void) => Promise<Answer>,
): Promise<undefined> {
  const ends: Ends = []
  const { promise: failed, reject } = Promise.withResolvers<never>()
  failed.catch(() => undefined) // heard below, once it has begun
  let isFailed = true
  try {
    const begun = begin(ends, (why) => reject(failure(why)))
    begun.catch(() => undefined) // whoever leaves before it has begun does not hear of it
    const answer = await Promise.race([begun, told, failed])
    if (answer) call.answer(answer)
    await Promise.race([told, failed])
    isFailed = false
    call.say('Stopping: everything that was acknowledged is kept.')
  } finally {
    await endAll(ends, isFailed)
  }
  return undefined
}

function failure(why: unknown): Trouble {
  if (why instanceof Refusal) return new Trouble(why.code, sentence(why), why)
  const what = reason(why).split('\n')[0]
  return new Trouble('DaemonFailed', `it could not go on and has ended: ${what}; see to that and start it again`, why)
}

/** Resolves once layer 1 shows the chain's registration, in a block that may not be final yet. */
async function registration(operator: Operator): Promise<void> {
  const isShown = () => {
    const { registered, view, ledger } = operator.state
    const fresh = view.window.flatMap(({ events }) => events)
    return registered || fresh.some((event) => event.name === 'ChainRegistered' && event.chain === ledger.chain)
  }
  while (!isShown()) await new Promise((done) => setTimeout(done, LOOK))
}

function refuseOthers({ path }: PlasmaConfig, address: Hex): void {
  const { operator } = ownOf(path)
  if (operator === address) return
  throw new Trouble(
    'NotOperator',
    `This folder's key is of ${address}, and the chain's operator is ${operator}: kerros plasma init without --operator makes a folder for a chain of your own`,
  )
}

async function operatorOn(
  call: Call,
  home: PlasmaHome,
  config: PlasmaConfig,
  key: Hex,
  ends: Ends,
  onFailure: (why: unknown) => void,
): Promise<Operator> {
  const { rpc, court, path, since, confirmations } = config
  const seconds = parseDuration(option(call, 'every') ?? '10s')
  const [maxTransactions, fees] = [mostOf(call), await feesOf(call, home, config)]
  const store = openStore(home.operator, `kerros operator of ${idOf(config)} at ${court}`)
  ends.push(() => store.close())
  const provider = await httpNode(rpc, BigInt(config.chainId))
  ends.push(() => provider.destroy())
  await warnPoor(call, provider, addressOf(key))
  const onTrouble = (why: unknown) => call.say(stamped(`trouble: ${troubleText(why)}`))
  const parts = { provider, signer: new Signer(key, provider), court, onFault: onTrouble }
  const l1 = await plasmaChain(parts)
  const child = config.parent === '' ? {} : await childOf(call, config, provider, key)
  const params = { path, depth: confirmations - 1, margin: l1.terms.margin, fees, maxTransactions, ...child }
  const checker = threads(Math.max(1, availableParallelism() - 1))
  ends.push(() => checker.close())
  const parent = config.parent === '' ? {} : { parent: operatorClient(config.parent) }
  const onOutput = (output: OperatorOutput) => {
    const line = lineOf(output)
    if (line !== undefined) call.say(stamped(line))
  }
  const interval = Math.max(1, seconds) * 1000
  const operator = new Operator({
    ...{ l1, store, params, checker, from: since, interval, onOutput, onTrouble, onFailure },
    ...parent,
  })
  ends.push(() => operator.stop())
  ends.push(reporting(call, operator))
  return operator
}

/** What the operator of a child chain signs with, and, until the chain is registered, its parent's consent. */
async function childOf(call: Call, config: PlasmaConfig, node: Node, key: Hex) {
  const given = option(call, 'consent')?.toLowerCase()
  const consent = given as Hex | undefined
  if (given !== undefined && !isHex(given, 65) && !isHex(given, 64))
    throw new Misuse('--consent is no signature: copy the whole word that the operator of the parent has')
  const isKnown = await registrationOf(node, config.court, idOf(config), config.since)
  if (consent !== undefined || isKnown) return { key, ...(consent && { consent }) }
  const { slot, operator } = ownOf(config.path)
  throw new Trouble(
    'NoConsent',
    `The chain is not registered yet, and its parent's operator must agree: it runs kerros plasma operator consent ${operator} --slot ${slot}, and you add --consent with what that tells`,
  )
}

/** Signs that a child chain of this folder's chain may be registered in a slot. */
export async function consent(call: Call): Promise<Answer> {
  const [home, config] = [homeOf(call), configOf(call)]
  const slot = Number(option(call, 'slot') ?? Number.NaN)
  if (!isWhole(slot, 0, 255)) throw new Misuse('This needs --slot: a number from 0 to 255 that no other child has')
  const child = { parent: idOf(config), slot, operator: addressIn(call.args.OPERATOR!, 'OPERATOR') }
  const key = await keyFrom(call, home.keystore)
  refuseOthers(config, addressOf(key))
  const signed = sign(registrationDigest(domain(BigInt(config.chainId), config.court), child), key)
  const text = facts([
    ['child', chainId(child)],
    ['consent', `its operator needs it: kerros plasma operator start --consent ${signed}`],
  ])
  return { json: { chain: chainId(child), ...child, consent: signed }, text }
}

function troubleText(why: unknown): string {
  return (why instanceof Refusal ? sentence(why) : reason(why)).split('\n')[0]!
}

function lineOf(output: OperatorOutput): string | undefined {
  switch (output.kind) {
    case 'sealed':
      return `block ${output.number} is sealed with ${output.count} transactions`
    case 'send':
      return output.number === 0 ? 'registers the chain on layer 1' : `commits block ${output.number} on layer 1`
    case 'dropped':
      return `transaction ${output.txHash} has no place in a block built again (${output.code})`
    default:
      return undefined
  }
}

/** Milliseconds between lines that tell how the chain is. */
const REPORT = 60_000

/** Tells every minute how the chain is, if anything has changed. */
function reporting(call: Call, operator: Operator): () => void {
  let last = ''
  const timer = setInterval(() => {
    const line = metrics(operator)
    if (line !== last) call.say(stamped(line))
    last = line
  }, REPORT)
  return () => clearInterval(timer)
}

/** How a chain is, in one line. */
export function metrics({ state }: Pick<Operator, 'state'>): string {
  const { ledger, committed, sealed } = state
  const outputs = `${ledger.coins.size} outputs of ${ledger.owners.size} owners`
  return `block ${ledger.number} has ${ledger.index} transactions, ${sealed.length} wait for layer 1, ${committed} are there; ${outputs}`
}

async function warnPoor(call: Call, node: Node, address: Hex): Promise<void> {
  const wei = await balanceOf(node, address)
  if (wei < 10n ** 16n)
    call.say(
      stamped(`${address} has ${formatMoney(wei, ETH)}: send it ether, it pays for registration and commitments`),
    )
}

function mostOf(call: Call): number {
  const text = option(call, 'most') ?? '65000'
  const most = /^[0-9]{1,5}$/.test(text) ? Number(text) : 0
  if (!isWhole(most, 1, 65_000)) throw new Misuse(`--most ${text} is not understood: write a number from 1 to 65000`)
  return most
}

async function feesOf(call: Call, home: PlasmaHome, config: PlasmaConfig) {
  const text = option(call, 'fee')
  if (text === undefined) return []
  const asset = assetOf(call)
  const unit = asset === ETHER ? ETH : await unitOf(home, config, asset)
  return [{ asset, amount: parseMoney(text, unit, false, 'this asset, which is') }]
}
