import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename } from 'node:path'

interface Compiler {
  compile(
    input: string,
    callbacks: { readonly import: (path: string) => { readonly contents: string } | { readonly error: string } },
  ): string
}

/** A file of contracts that are deployed, and what of them the compiler wrote: contract -> bytecode. */
export type Built = Readonly<Record<string, Readonly<Record<string, string>>>>

/** A node of the compiler's syntax tree. */
export interface Node {
  readonly nodeType: string
  readonly src: string
  readonly [key: string]: unknown
}

interface Output {
  readonly errors?: readonly { readonly severity: string; readonly formattedMessage: string }[]
  readonly sources?: Readonly<Record<string, { readonly ast: Node }>>
  readonly contracts?: Readonly<
    Record<string, Readonly<Record<string, { readonly evm?: { readonly bytecode?: { readonly object: string } } }>>>
  >
}

const solc: Compiler = createRequire(import.meta.url)('solc')

/** The older code generator: a quarter of the time, and the court stays under the size limit. */
const SETTINGS = { evmVersion: 'osaka', metadata: { bytecodeHash: 'none' }, optimizer: { enabled: true, runs: 200 } }

const COURT = 'contracts/channel/Adjudicator.sol'
const EXPOSED = 'contracts/test/Exposed.sol'
const EXPOSED_AUTHORIZATION = 'contracts/test/ExposedAuthorization.sol'
const ATTESTED = 'contracts/channel/conditions/Attested.sol'

const BASE_TWINS = 'test/base/twins.test.ts'
const CHANNEL_TWINS = 'test/channel/twins.test.ts'
const PLAYED = ['adjudicator', 'locks', 'money', 'storage', 'funding', 'hostile'].map(
  (name) => `test/channel/${name}.test.ts`,
)
const FUZZ = 'test/channel/adjudicator.fuzz.test.ts'
const PAID = 'test/base/authorization.test.ts'

/** What is deployed of a file's code, and the suites that hold it to its word, the quickest to fail first. */
interface Focus {
  readonly targets: readonly string[]
  readonly suites: readonly string[]
}

const FOCUS: Readonly<Record<string, Focus>> = {
  'Adjudicator.sol': { targets: [COURT], suites: [...PLAYED, FUZZ] },
  'Lock.sol': { targets: [COURT, EXPOSED], suites: [CHANNEL_TWINS, ...PLAYED, FUZZ] },
  'Channel.sol': { targets: [COURT, EXPOSED], suites: [CHANNEL_TWINS, ...PLAYED, FUZZ] },
  'Record.sol': { targets: [COURT, EXPOSED], suites: [CHANNEL_TWINS, ...PLAYED, FUZZ] },
  // The root chain alone takes assets by this verb.
  'Asset.sol pull': { targets: ['contracts/plasma/RootChain.sol'], suites: ['test/plasma/rootchain.test.ts'] },
  'Attested.sol': { targets: [ATTESTED], suites: ['test/channel/attested.test.ts'] },
  'Merkle.sol': { targets: [EXPOSED], suites: [BASE_TWINS] },
  'Signatures.sol': { targets: [COURT, EXPOSED], suites: [BASE_TWINS, CHANNEL_TWINS, ...PLAYED] },
  'Authorization.sol': { targets: [EXPOSED_AUTHORIZATION], suites: [PAID, 'test/base/authorizationTwins.test.ts'] },
}
const ANY: Focus = { targets: [COURT, EXPOSED_AUTHORIZATION], suites: [...PLAYED, FUZZ, PAID, BASE_TWINS] }

/** The targets and suites of a mutant; suites that are not there are left out. */
export function focusOf({ path, within }: { readonly path: string; readonly within: string }): Focus {
  const file = basename(path)
  const { targets, suites } = FOCUS[`${file} ${within}`] ?? FOCUS[file] ?? ANY
  return { targets, suites: suites.filter((suite) => existsSync(suite)) }
}

/** All targets and all suites. */
export function everything(): Focus {
  const all = [ANY, ...Object.values(FOCUS)]
  const [targets, suites] = [all.flatMap((one) => one.targets), all.flatMap((one) => one.suites)]
  return { targets: [...new Set(targets)], suites: [...new Set(suites)].filter((suite) => existsSync(suite)) }
}

/** Every source whose code is mutated: the rooms base and channel without their interfaces, sorted. */
export function sources(): readonly string[] {
  const found = ['contracts/base', 'contracts/channel'].flatMap((room) =>
    readdirSync(room, { recursive: true, encoding: 'utf8' }).map((name) => `${room}/${name}`),
  )
  return found.filter((path) => /\/(?!I[A-Z])\w+\.sol$/.test(path)).sort()
}

function run(path: string, text: string, input: object): Output {
  const contents = (at: string) => {
    const place = at === path ? undefined : existsSync(at) ? at : `node_modules/${at}`
    if (place === undefined) return { contents: text }
    return existsSync(place) ? { contents: readFileSync(place, 'utf8') } : { error: `there is no ${place}` }
  }
  return JSON.parse(solc.compile(JSON.stringify({ language: 'Solidity', ...input }), { import: contents })) as Output
}

function sourceOf(at: string, path: string, text: string): { readonly content: string } {
  return { content: at === path ? text : readFileSync(at, 'utf8') }
}

/** The syntax tree of a source. */
export function treeOf(path: string): Node {
  const text = readFileSync(path, 'utf8')
  const settings = { stopAfter: 'parsing', outputSelection: { '*': { '': ['ast'] } } }
  const { sources: trees, errors } = run(path, text, { sources: { [path]: { content: text } }, settings })
  const tree = trees?.[path]?.ast
  if (!tree) throw new Error(`${path} cannot be read: ${errors?.[0]?.formattedMessage}`)
  return tree
}

/** The deployed code of the targets with `path` holding `text`; the compiler's first complaint if it does not build. */
export function build(path: string, text: string, targets: readonly string[]): Built | string {
  const selected = Object.fromEntries(targets.map((at) => [at, { '*': ['evm.bytecode.object'] }]))
  const given = Object.fromEntries(targets.map((at) => [at, sourceOf(at, path, text)]))
  const { errors, contracts } = run(path, text, {
    sources: given,
    settings: { ...SETTINGS, outputSelection: selected },
  })
  const wrong = errors?.find(({ severity }) => severity === 'error')
  if (wrong) return wrong.formattedMessage
  const codes = targets.map((at) => {
    const all = Object.entries(contracts?.[at] ?? {}).map(([name, { evm }]) => [name, evm?.bytecode?.object ?? ''])
    return [at, Object.fromEntries(all.filter(([, code]) => code !== ''))]
  })
  return Object.fromEntries(codes)
}
