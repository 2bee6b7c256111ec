import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'

const FOLDER = 'bench/peers'
const UNREACHABLE =
  /^(?:ENOTFOUND|EAI_AGAIN|ECONN\w+|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|ERR_SOCKET_TIMEOUT|ENOTCACHED)$/

/** A compiled contract as its authors published it. */
export interface Artifact {
  // biome-ignore lint/suspicious/noExplicitAny: an ABI is whatever its authors' compiler wrote; ethers reads it
  readonly abi: any
  readonly bytecode: string
}

interface Manifest {
  readonly version: string
  readonly dependencies: Readonly<Record<string, string>>
}

/** The peers' packages lie in bench/peers/node_modules as locked there; fetched if need be. None of their code is run. */
export function install(): void {
  const wanted = Object.entries(json<Manifest>(`${FOLDER}/package.json`).dependencies)
  if (wanted.every(([name, version]) => isInstalled(name) && versionOf(name) === version)) return
  const npm = process.env.npm_execpath
  if (!npm) throw new Error('npm installs the peers: run npm run bench:gas -- --peers')
  const options = ['--ignore-scripts', '--no-audit', '--no-fund', '--fetch-retries=1', `--prefix=${FOLDER}`]
  const done = spawnSync(process.execPath, [npm, 'ci', ...options], { encoding: 'utf8' })
  if (done.status !== 0) throw new Error(reason(`${done.error?.message ?? ''}${done.stdout}${done.stderr}`))
}

function reason(said: string): string {
  const code = /npm (?:error|ERR!) code (\S+)/.exec(said)?.[1] ?? 'no code'
  if (UNREACHABLE.test(code))
    return `the npm registry cannot be reached (${code}), and --peers has to fetch the peers' contracts once: connect, or leave --peers out`
  return `npm could not install the peers' contracts (${code}): run npm ci --ignore-scripts in ${FOLDER} to see why`
}

function isInstalled(name: string): boolean {
  return existsSync(`${FOLDER}/node_modules/${name}/package.json`)
}

/** The version of an installed package. */
export function versionOf(name: string): string {
  return json<Manifest>(`${FOLDER}/node_modules/${name}/package.json`).version
}

/** The artifact at `path` inside an installed package. */
export function artifactOf(name: string, path: string): Artifact {
  return json<Artifact>(`${FOLDER}/node_modules/${name}/${path}`)
}

function json<Content>(path: string): Content {
  return JSON.parse(readFileSync(path, 'utf8')) as Content
}
