// A process of its own: the operator of one chain of the tree. It reads what it runs from its standard input, tells what
// happens in lines of JSON, and ends when that input does.
import { Wallet as Signer } from 'ethers'
import type { Hex } from '../../core/base/Bytes.ts'
import { domain, sign } from '../../core/base/Signature.ts'
import { type Chain, ownOf, registrationDigest } from '../../core/plasma/Chain.ts'
import { localAccount } from '../../edge/chain/LocalAccounts.ts'
import { httpNode } from '../../edge/chain/Node.ts'
import { plasmaChain } from '../../edge/chain/PlasmaChain.ts'
import { reason } from '../../edge/Fault.ts'
import { operatorClient } from '../../edge/http/OperatorClient.ts'
import { serveOperator } from '../../edge/http/OperatorServer.ts'
import { openStore } from '../../edge/store/Sqlite.ts'
import { Operator } from '../../role/Operator.ts'

/** What such a process runs. */
export interface TreeOperatorTask {
  /** Address of layer 1's node, and of the court on it. */
  readonly node: string
  readonly court: Hex
  readonly from: number
  readonly path: readonly Chain[]
  /** Numbers of the local accounts of this operator and of its parent's. */
  readonly account: number
  readonly parent?: { readonly account: number; readonly url: string }
  readonly store: string
  readonly depth: number
  /** Milliseconds between the ticks of its clock. */
  readonly interval: number
}

/** What such a process tells, one line each. */
export type TreeOperatorLine =
  | { readonly kind: 'serving'; readonly url: string }
  | { readonly kind: 'registered' }
  | { readonly kind: 'failed'; readonly why: string }

function tell(line: TreeOperatorLine): void {
  process.stdout.write(`${JSON.stringify(line)}\n`)
}

async function run(task: TreeOperatorTask): Promise<() => Promise<void>> {
  const { path, parent, depth } = task
  const { key } = localAccount(task.account)
  const provider = await httpNode(task.node)
  const l1 = await plasmaChain({ provider, signer: new Signer(key, provider), court: task.court, interval: 50 })
  const digest = registrationDigest(domain(l1.chainId, l1.court), ownOf(path))
  const consent = parent && sign(digest, localAccount(parent.account).key)
  const store = openStore(task.store, 'an operator of the demo')
  const operator = new Operator({
    l1,
    store,
    params: { path, depth, margin: 3600, fees: [], maxTransactions: 1000, key, ...(consent && { consent }) },
    from: task.from,
    interval: task.interval,
    ...(parent && { parent: operatorClient(parent.url) }),
    onFailure: (why) => tell({ kind: 'failed', why: reason(why) }),
  })
  const server = await serveOperator(operator.api)
  tell({ kind: 'serving', url: server.url })
  const looking = setInterval(() => {
    if (!operator.state.registered) return
    clearInterval(looking)
    tell({ kind: 'registered' })
  }, 20)
  return async () => {
    clearInterval(looking)
    operator.stop()
    await server.close()
    store.close()
    provider.destroy()
  }
}

/** Runs what the first line of the standard input says until the input ends. */
async function main(): Promise<void> {
  let text = ''
  let running: Promise<() => Promise<void>> | undefined
  for await (const piece of process.stdin.setEncoding('utf8')) {
    text += piece
    if (!running && text.includes('\n')) {
      running = run(JSON.parse(text.split('\n')[0]!) as TreeOperatorTask)
      running.catch((why) => tell({ kind: 'failed', why: reason(why) }))
    }
  }
  const stop = await running
  await stop?.()
  process.exit()
}

if (process.argv[2] === 'run') await main()
