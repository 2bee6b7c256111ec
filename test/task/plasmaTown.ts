import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { Wallet as Signer } from 'ethers'
import { ZERO } from '../../src/core/base/Bytes.ts'
import { localAccount } from '../../src/edge/chain/LocalAccounts.ts'
import { httpNode } from '../../src/edge/chain/Node.ts'
import { plasmaChain } from '../../src/edge/chain/PlasmaChain.ts'
import { serveHttp } from '../../src/edge/http/Http.ts'
import { operatorHandler } from '../../src/edge/http/OperatorServer.ts'
import { memoryStore } from '../../src/edge/store/Memory.ts'
import { Operator } from '../../src/role/Operator.ts'
import { PLASMA } from '../../src/task/cli/plasma/Commands.ts'
import { type Ended, type Staying, terminal } from './commandLine.ts'

export const ETH = 10n ** 18n
/** Seconds that an exit takes at least. */
export const MFP = 86_400

/** A wallet's folder and the local account whose it is. */
type Folder = readonly [name: string, account: number]

/** What a refused command told as JSON, if it did so in one document and one sentence. */
export function refused({ code, out }: Ended, status: number): { readonly code: string; readonly message: string } {
  expect(code, out).to.equal(status)
  const { error } = JSON.parse(out)
  expect(Object.keys(error)).to.deep.equal(['code', 'message'])
  expect(error.message)
    .to.match(/^[^\n]+$/)
    .and.not.to.match(/ at .*:\d+:\d+|\/src\//)
  return error
}

/** A terminal, a root chain on its layer 1, and people with wallets. */
export async function plasmaTown() {
  const t = await terminal()
  const court = await t.rootChain(MFP)

  /** The flags that name a wallet's folder and open its key. */
  const of = (name: string) => ['--home', t.home(name), '--password-file', t.password] as const

  /** What a command of a wallet answers: the fields that its help tells, and no others. */
  // biome-ignore lint/suspicious/noExplicitAny: the answer is whatever JSON the command promises
  async function ask(name: string, verb: string, ...words: readonly string[]): Promise<any> {
    const answer = await t.json('plasma', ...verb.split(' '), ...words, ...of(name))
    const { answers } = PLASMA.find(({ path }) => path.slice(1).join(' ') === verb)!
    expect(Object.keys(answer).sort(), verb).to.deep.equal(Object.keys(answers!).sort())
    return answer
  }

  /** Makes a folder; its key is no longer encrypted afterwards, because a password takes a second of every command. */
  async function init(name: string, account: number, ...more: readonly string[]) {
    const { key } = localAccount(account)
    const made = await ask(name, 'init', '--court', court, '--key-file', t.secret(`${name}.key`, key), ...more)
    const file = join(t.home(name), 'key.json')
    expect(readFileSync(file, 'utf8')).not.to.contain(key.slice(2))
    writeFileSync(file, key)
    return made
  }

  /** Starts the operator of a folder's own chain, which seals every second. */
  function operate(name: string, ...more: readonly string[]): Promise<Staying> {
    return t.stay('plasma', 'operator', 'start', ...of(name), '--listen', '127.0.0.1:0', '--every', '1s', ...more)
  }

  /** An operator that runs, and wallets on its chain. */
  async function start(...wallets: readonly Folder[]): Promise<Staying> {
    await init('op', 0)
    const operator = await operate('op')
    for (const [name, account] of wallets) await init(name, account, '--operator', operator.answer.api)
    return operator
  }

  /** An operator in this process, which seals only when it is told to, and wallets on its chain. */
  async function office(...wallets: readonly Folder[]) {
    const node = await httpNode(t.rpc)
    const signer = new Signer(localAccount(0).key, node)
    const l1 = await plasmaChain({ provider: node, signer, court, interval: 20 })
    const path = [{ parent: ZERO, slot: 0, operator: localAccount(0).address }]
    const params = { path, depth: 0, margin: MFP / 24, fees: [], maxTransactions: 100 }
    const onFailure = (why: unknown) => {
      throw why
    }
    const operator = new Operator({ l1, store: memoryStore(), params, from: 0, onFailure })
    const server = await serveHttp(operatorHandler(operator.api))
    while (!operator.state.registered) await new Promise((done) => setTimeout(done, 20))
    for (const [name, account] of wallets) await init(name, account, '--operator', server.url)
    const close = async () => {
      operator.stop()
      node.destroy()
      await server.close()
    }
    return { operator, close }
  }

  return { t, court, of, ask, init, operate, start, office }
}

export type PlasmaTown = Awaited<ReturnType<typeof plasmaTown>>
