import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import hre from 'hardhat'
import type { Hex } from '../../src/core/base/Bytes.ts'
import { localAccount } from '../../src/edge/chain/LocalAccounts.ts'
import { COMMANDS } from '../../src/task/cli/Commands.ts'
import { main } from '../../src/task/cli/Main.ts'
import { Adjudicator__factory, RootChain__factory, Token__factory } from '../../typechain-types/index.ts'

/** How a command ended, and what it wrote. */
export interface Ended {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

/** A command that takes its time, with --json: what it tells of its progress, and its end. */
export interface Running {
  /** Resolves once its progress matches. */
  until(words: RegExp): Promise<void>
  kill(signal: NodeJS.Signals): Promise<Ended>
  readonly ended: Promise<Ended>
}

/** A command that stays after its answer. */
export interface Staying extends Running {
  // biome-ignore lint/suspicious/noExplicitAny: the answer is whatever JSON the command promises
  readonly answer: any
}

const KERROS = resolve('bin/kerros')
/** A command that says nothing for so long will never end. */
const LATE = 120_000

/** A chain with a court, folders, and people who type. Everything is gone after `leave`. */
export async function terminal() {
  const folder = mkdtempSync(join(tmpdir(), 'kerros-cli-'))
  const server = await hre.network.createServer('default', '127.0.0.1', 0)
  const { port } = await server.listen()
  const rpc = `http://127.0.0.1:${port}`
  const connection = await hre.network.create({ network: 'localhost', override: { url: rpc } })
  const { ethers, provider } = connection
  const deployed = await new Adjudicator__factory((await ethers.getSigners())[9]!).deploy()
  await deployed.waitForDeployment()
  const court = (await deployed.getAddress()).toLowerCase() as Hex
  const running = new Set<ChildProcess>()
  const secret = (name: string, text: string) => {
    const file = join(folder, name)
    writeFileSync(file, `${text}\n`, { mode: 0o600 })
    return file
  }
  const password = secret('password', 'correct horse')
  const env = { ...process.env, KERROS_RPC: rpc, KERROS_HOME: join(folder, 'nobody'), KERROS_PASSWORD_FILE: '' }

  function begin(
    words: readonly string[],
    command = [process.execPath],
  ): { child: ChildProcess; said: () => Ended; ended: Promise<Ended> } {
    const [program = '', ...before] = command
    const child = spawn(program, [...before, KERROS, ...words], { env, cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] })
    running.add(child)
    let [out, err] = ['', '']
    child.stdout!.on('data', (text) => (out += text))
    child.stderr!.on('data', (text) => (err += text))
    const said = () => ({ code: child.exitCode, out, err })
    const ended = new Promise<Ended>((done, failed) => {
      child.on('error', failed)
      child.on('close', (code) => {
        running.delete(child)
        done({ code, out, err })
      })
    })
    return { child, said, ended }
  }

  /** Tells the chain something. A connection that nobody has used for a while may just be closed: then once more. */
  async function told(method: string, ...params: readonly unknown[]): Promise<unknown> {
    const ask = () => provider.request({ method, params: [...params] })
    return ask().catch(ask)
  }

  /** Runs a command to its end, in this process: it is the same but for its start, which takes most of its time. */
  async function run(...words: readonly string[]): Promise<Ended> {
    let [out, err] = ['', '']
    const code = await main(COMMANDS, words, env, {
      out: (text) => (out += `${text}\n`),
      err: (text) => (err += `${text}\n`),
    })
    return { code, out, err }
  }

  /** Runs a command to its end, in a process of its own. */
  async function program(...words: readonly string[]): Promise<Ended> {
    const { child, ended } = begin(words)
    const late = setTimeout(() => child.kill('SIGKILL'), LATE)
    return ended.finally(() => clearTimeout(late))
  }

  /** Runs a command to its good end; gives its JSON. */
  // biome-ignore lint/suspicious/noExplicitAny: the answer is whatever JSON the command promises
  async function json(...words: readonly string[]): Promise<any> {
    const { code, out, err } = await run(...words, '--json')
    if (code !== 0) throw new Error(`kerros ${words.join(' ')} ended with ${code}: ${out}${err}`)
    return JSON.parse(out)
  }

  /** Starts a command, and hears what it tells. */
  function follow(words: readonly string[], command?: string[]): Running & { readonly answered: Promise<string> } {
    const { child, said, ended } = begin([...words, '--json'], command)
    const hears = (holds: () => boolean): Promise<void> =>
      new Promise((done, failed) => {
        const look = () => holds() && done()
        child.stdout!.on('data', look)
        child.stderr!.on('data', look)
        ended.then(({ code, out, err }) => failed(new Error(`it ended with ${code}: ${out}${err}`)), failed)
        setTimeout(() => failed(new Error(`it only said: ${said().out}${said().err}`)), LATE).unref()
        look()
      })
    const answered = hears(() => said().out.endsWith('}\n')).then(() => said().out)
    answered.catch(() => undefined) // whoever waits for the answer hears of it
    const kill = (signal: NodeJS.Signals) => {
      child.kill(signal)
      return ended
    }
    return { until: (words) => hears(() => words.test(said().err)), kill, ended, answered }
  }

  /** Starts a command that stays; resolves with its answer. */
  async function stay(words: readonly string[], command?: string[]): Promise<Staying> {
    const { answered, ...running } = follow(words, command)
    return { ...running, answer: JSON.parse(await answered) }
  }

  return {
    folder,
    rpc,
    court,
    password,
    secret,
    run,
    program,
    json,
    follow: (...words: readonly string[]) => follow(words),
    home: (name: string) => join(folder, name),
    /** A folder for one of the local accounts; resolves with what init tells. */
    init: (name: string, account: number) => {
      const files = ['--key-file', secret(`${name}.key`, localAccount(account).key), '--password-file', password]
      const places = ['--listen', '127.0.0.1:0', '--port', '0', '--court', court]
      return json('init', '--home', join(folder, name), ...files, ...places)
    },
    /** Starts the node, or the tower, of a folder. */
    start: (name: string, noun = 'node', ...more: readonly string[]) =>
      stay([noun, 'start', '--home', join(folder, name), '--password-file', password, ...more]),
    /** Starts a folder's node, which can write no file longer than so many KiB. */
    cramped: (name: string, most: number) =>
      stay(
        ['node', 'start', '--home', join(folder, name), '--password-file', password],
        ['bash', '-c', `ulimit -f ${most}; exec "$0" "$@"`, process.execPath],
      ),
    /** From now on a block comes every so many milliseconds, too, as on a chain that others use. */
    blocks: (interval: number) => told('evm_setIntervalMining', interval),
    /** From now on blocks come by themselves, or only when `pass` makes them. */
    automine: (on: boolean) => told('evm_setAutomine', on),
    /** Starts a command that stays. */
    stay: (...words: readonly string[]) => stay(words),
    /** Deploys a root chain whose exits take `mfp` seconds; resolves with its address. */
    async rootChain(mfp: number): Promise<Hex> {
      const [margin, gwei] = [Math.floor(mfp / 24), 10n ** 9n]
      const signer = (await ethers.getSigners())[9]!
      const terms = [mfp, margin, margin, 300_000n, gwei, 200n * gwei] as const
      const made = await new RootChain__factory(signer).deploy(court, ...terms)
      await made.waitForDeployment()
      return (await made.getAddress()).toLowerCase() as Hex
    },
    /** Deploys a token of which a local account has so much; resolves with its address. */
    async token(account: number, amount: bigint): Promise<Hex> {
      const made = await new Token__factory((await ethers.getSigners())[9]!).deploy()
      await made.waitForDeployment()
      await (await made.mint(localAccount(account).address, amount)).wait()
      return (await made.getAddress()).toLowerCase() as Hex
    },
    balance: (address: Hex) => ethers.provider.getBalance(address),
    async pass(seconds: number) {
      await told('evm_increaseTime', seconds)
      await told('evm_mine')
    },
    async leave() {
      for (const child of running) child.kill('SIGKILL')
      await connection.close()
      await server.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

export type Terminal = Awaited<ReturnType<typeof terminal>>
