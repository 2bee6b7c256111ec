import { availableParallelism } from 'node:os'
import { Wallet as Signer } from 'ethers'
import { addressOf } from '../../../core/base/Signature.ts'
import { Refusal } from '../../../core/base/Step.ts'
import type { WatcherOutput } from '../../../core/plasma/Watcher.ts'
import { httpNode } from '../../../edge/chain/Node.ts'
import { plasmaChain } from '../../../edge/chain/PlasmaChain.ts'
import { reason } from '../../../edge/Fault.ts'
import { operatorClient } from '../../../edge/http/OperatorClient.ts'
import { serveWatcher } from '../../../edge/http/WatcherServer.ts'
import { webhook } from '../../../edge/http/Webhook.ts'
import { threads } from '../../../edge/signature/Threads.ts'
import { openStore } from '../../../edge/store/Sqlite.ts'
import { Watcher } from '../../../role/Watcher.ts'
import { type Call, option } from '../Command.ts'
import { keyFrom } from '../Key.ts'
import { interrupted, stamped } from '../Stay.ts'
import { facts } from '../Table.ts'
import { Trouble } from '../Trouble.ts'
import { daemon } from './Operator.ts'
import { sentence } from './Refused.ts'
import { PATIENCE } from './Session.ts'
import { configOf, homeOf, idOf, listenOf, operatorOf, urlOf } from './Settings.ts'

/** Seconds before a payment in which an answer that is missing is an alarm; milliseconds between questions. */
const WARNING = 86_400
const TICK = 5000

/**
 * Watches the chain of a folder until the process is told to end: checks every block, answers false exits, warns, and
 * brings what the folder's key owns to layer 1 once the chain is bad.
 */
export async function start(call: Call): Promise<undefined> {
  const [home, config] = [homeOf(call), configOf(call)]
  const url = operatorOf(home, config)
  if (url === '')
    throw new Trouble('NoOperator', 'No operator is known to ask for blocks: name one with --operator URL')
  const told = interrupted()
  const [hookUrl, others] = [urlOf(call, 'webhook'), urlOf(call, 'also')]
  const place = option(call, 'listen') === undefined ? undefined : listenOf(call)
  const key = await keyFrom(call, home.keystore)
  return daemon(call, told, async (ends, onFailure) => {
    const store = openStore(home.watcher, `kerros watcher of ${idOf(config)} at ${config.court}`)
    ends.push(() => store.close())
    const provider = await httpNode(config.rpc, BigInt(config.chainId))
    ends.push(() => provider.destroy())
    const onTrouble = troubles(call)
    const signer = new Signer(key, provider)
    const l1 = await plasmaChain({ provider, signer, court: config.court, onFault: onTrouble })
    const onLost = (why: string) => call.say(stamped(`trouble: ${why}`))
    const hook = hookUrl === undefined ? undefined : webhook({ url: hookUrl, onTrouble: onLost })
    ends.push(() => hook?.close())
    const checker = threads(availableParallelism())
    ends.push(() => checker.close())
    const watcher = new Watcher({
      ...{
        l1,
        store,
        checker,
        path: config.path,
        depth: config.confirmations - 1,
        patience: PATIENCE,
        warning: WARNING,
      },
      owners: call.options['only-warn'] === true ? [] : [{ key, l1 }],
      ...{ from: config.since, interval: TICK, operator: operatorClient(url), onTrouble, onFailure },
      others: others === undefined ? [] : [operatorClient(others)],
      onAlarm: (alarm) => {
        call.say(stamped(`ALARM ${alarm.name}: ${alarm.detail}`))
        hook?.tell(alarm)
      },
      onOutput: (output) => {
        const line = lineOf(output)
        if (line !== undefined) call.say(stamped(line))
      },
    })
    ends.push(() => watcher.stop())
    const [host, port] = place ?? []
    const server = place && (await serveWatcher(watcher.api, { host: host!, port: port!, onError: onTrouble }))
    ends.push(() => server?.close())
    const api = server?.url ?? null
    const json = { home: home.folder, chain: idOf(config), sender: addressOf(key), operator: url, api }
    const rows = [
      ['chain', json.chain],
      ['operator', url],
      ['API', server && `${server.url}: its alarms, and the blocks that it has`],
      ['pays from', `${json.sender}: an answer earns half of the bond, send it ether for gas`],
    ] as const
    return { json, text: `${facts(rows)}\nWatching until Ctrl-C.` }
  })
}

/** Says each trouble once until another comes. */
function troubles(call: Call): (why: unknown) => void {
  let last = ''
  return (why) => {
    const line = (why instanceof Refusal ? sentence(why) : reason(why)).split('\n')[0]!
    if (line !== last) call.say(stamped(`trouble: ${line}`))
    last = line
  }
}

function lineOf(output: WatcherOutput): string | undefined {
  if (output.kind === 'guarding') return guardingText(output)
  if (output.kind === 'verified') return `block ${output.number} is valid, ${output.count} transactions`
  if (output.kind !== 'answer') return undefined
  const { answer } = output
  return answer.kind === 'challenge'
    ? `challenges the exit of ${answer.exit.exit.ids}, which was spent`
    : `answers the in-flight exit of ${answer.exit.txHash} (${answer.kind})`
}

function guardingText({ escapes, bonds, left }: WatcherOutput & { readonly kind: 'guarding' }): string {
  const rest = left > 0 ? `; ${left} more once bonds come back` : ''
  return `takes what is yours to layer 1: ${escapes} starts with ${bonds} bonds at most${rest}`
}
