import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename } from 'node:path'

interface Compiler {
  compile(
    input: string,
    callbacks: { readonly import: (path: string) => { readonly contents: string } | { readonly error: string } },
  ): string
}

/** What sources hold instead of their own text. */
export type Texts = ReadonlyMap<string, string>

/** A file of contracts that are deployed, and what of them the compiler wrote: contract -> bytecode. */
export type Built = Readonly<Record<string, Readonly<Record<string, string>>>>

/** A node of the compiler's syntax tree. */
export interface Node {
  readonly nodeType: string
  readonly src: string
  readonly [key: string]: unknown
}

interface Complaint {
  readonly severity: string
  readonly formattedMessage: string
  readonly sourceLocation?: { readonly file: string; readonly start: number }
}

interface Output {
  readonly errors?: readonly Complaint[]
  readonly sources?: Readonly<Record<string, { readonly ast: Node }>>
  readonly contracts?: Readonly<
    Record<string, Readonly<Record<string, { readonly evm?: { readonly bytecode?: { readonly object: string } } }>>>
  >
}

const solc: Compiler = createRequire(import.meta.url)('solc')

/** The older code generator: a quarter of the time, and the court stays under the size limit. */
const SETTINGS = { evmVersion: 'osaka', metadata: { bytecodeHash: 'none' }, optimizer: { enabled: true, runs: 200 } }
/** The root chain has too many variables for it: the newer one, without the steps that know what a comparison comes to. */
const PLASMA_SETTINGS = {
  ...SETTINGS,
  viaIR: true,
  optimizer: {
    runs: 200,
    details: {
      ...{ peephole: true, inliner: false, jumpdestRemover: true, orderLiterals: false, deduplicate: true, cse: false },
      constantOptimizer: false,
      yul: true,
      yulDetails: { stackAllocation: true, optimizerSteps: 'dhfoDgvulfnUIfxarrcLMxarrciulxarrcLMuljVcTOcmulj:' },
    },
  },
}
const IN_PLASMA = /\bplasma\b|Plasma\.sol$/

const COURT = 'contracts/channel/Adjudicator.sol'
const EXPOSED = 'contracts/test/Exposed.sol'
const EXPOSED_AUTHORIZATION = 'contracts/test/ExposedAuthorization.sol'
const ATTESTED = 'contracts/channel/conditions/Attested.sol'
/** What all mutants of the root chain are built into. */
export const PLASMA_TARGETS = ['contracts/plasma/RootChain.sol', 'contracts/test/ExposedPlasma.sol']

const BASE_TWINS = 'test/base/twins.test.ts'
const CHANNEL_TWINS = 'test/channel/twins.test.ts'
const PLAYED = ['adjudicator', 'locks', 'money', 'storage', 'funding', 'hostile'].map(
  (name) => `test/channel/${name}.test.ts`,
)
const FUZZ = 'test/channel/adjudicator.fuzz.test.ts'
const PAID = 'test/base/authorization.test.ts'

/** The suites of the root chain, by what they look at. */
const plasma = (names: string) => names.split(' ').map((name) => `test/plasma/${name}.test.ts`)
const TWINS = plasma('twins')
const GROUPS = plasma('groupTwins rootchainGroups rootchainGroupsHeard')
const EXITS = plasma('rootchain rootchainExits rootchainRules rootchainCourt rootchainQueue rootchainHostile')
const MONEY = plasma('rootchainTokens rootchainDeeds rootchainOverflow rootchainLocks swap')
const TREE = plasma('rootchainTree trees rootchainDepths rootchainMerkle')
const FLIGHTS = plasma(
  'inflightStart inflightGame inflightOutcome inflightOutputs inflightAssets inflightLocks',
).concat(plasma('inflightThefts inflightAge inflightTree inflightHostile'))
const ANYTHING = plasma('anything')
const ALL_PLASMA = [...TWINS, ...EXITS, ...ANYTHING, ...FLIGHTS, ...GROUPS, ...MONEY, ...TREE]

/** What is deployed of a file's code, and the suites that hold it to its word, the quickest to fail first. */
interface Focus {
  readonly targets: readonly string[]
  readonly suites: readonly string[]
}

/** These suites, then all others of the root chain. */
function plasmaFocus(...first: readonly (readonly string[])[]): Focus {
  return { targets: PLASMA_TARGETS, suites: [...new Set([...first, ALL_PLASMA].flat())] }
}

const FOCUS: Readonly<Record<string, Focus>> = {
  'Adjudicator.sol': { targets: [COURT], suites: [...PLAYED, FUZZ] },
  'Lock.sol': { targets: [COURT, EXPOSED], suites: [CHANNEL_TWINS, ...PLAYED, FUZZ] },
  'Channel.sol': { targets: [COURT, EXPOSED], suites: [CHANNEL_TWINS, ...PLAYED, FUZZ] },
  'Record.sol': { targets: [COURT, EXPOSED], suites: [CHANNEL_TWINS, ...PLAYED, FUZZ] },
  // The root chain alone takes assets by this verb.
  'Asset.sol pull': plasmaFocus(plasma('rootchain'), MONEY),
  'Attested.sol': { targets: [ATTESTED], suites: ['test/channel/attested.test.ts'] },
  'Merkle.sol': { targets: [EXPOSED], suites: [BASE_TWINS] },
  'Signatures.sol': { targets: [COURT, EXPOSED], suites: [BASE_TWINS, CHANNEL_TWINS, ...PLAYED] },
  'Authorization.sol': { targets: [EXPOSED_AUTHORIZATION], suites: [PAID, 'test/base/authorizationTwins.test.ts'] },
  'Group.sol': plasmaFocus(GROUPS),
  'Roster.sol': plasmaFocus(GROUPS),
  'Block.sol': plasmaFocus(TWINS, plasma('rootchain'), TREE),
  'Chain.sol': plasmaFocus(TWINS, TREE),
  'InFlightDraft.sol': plasmaFocus(FLIGHTS),
  'InFlightExit.sol': plasmaFocus(TWINS, FLIGHTS),
  'InFlightExits.sol': plasmaFocus(FLIGHTS),
  'InFlightState.sol': plasmaFocus(FLIGHTS),
  'Lists.sol': plasmaFocus(FLIGHTS),
  'Payouts.sol': plasmaFocus(
    plasma('rootchain inflightOutcome inflightAssets rootchainQueue rootchainLocks'),
    ANYTHING,
  ),
  'StandardExits.sol': plasmaFocus(plasma('rootchain rootchainExits rootchainRules'), GROUPS, plasma('rootchainLocks')),
  'Standing.sol': plasmaFocus(EXITS, TREE, plasma('rootchainLocks'), FLIGHTS),
  'RootChain.sol': plasmaFocus(plasma('rootchain rootchainTree rootchainTokens rootchainDeeds rootchainCourt')),
}
const ANY: Focus = { targets: [COURT, EXPOSED_AUTHORIZATION], suites: [...PLAYED, FUZZ, PAID, BASE_TWINS] }
const ANY_PLASMA: Focus = plasmaFocus()

/** The targets and suites of a mutant; suites that are not there are left out. */
export function focusOf({ path, within }: { readonly path: string; readonly within: string }): Focus {
  const file = basename(path)
  const any = IN_PLASMA.test(path) ? ANY_PLASMA : ANY
  const { targets, suites } = FOCUS[`${file} ${within}`] ?? FOCUS[file] ?? any
  return { targets, suites: suites.filter((suite) => existsSync(suite)) }
}

/** A part of the contracts whose mutants are drawn and counted by themselves. */
export type Room = 'channel' | 'plasma'
export const ROOMS: Readonly<Record<Room, readonly string[]>> = {
  channel: ['contracts/base', 'contracts/channel'],
  plasma: ['contracts/plasma'],
}

/** All targets and all suites of a room. */
export function everything(room: Room): Focus {
  const plasmas = ({ targets }: Focus) => targets === PLASMA_TARGETS
  const all = [ANY, ANY_PLASMA, ...Object.values(FOCUS)].filter((one) => plasmas(one) === (room === 'plasma'))
  const [targets, suites] = [all.flatMap((one) => one.targets), all.flatMap((one) => one.suites)]
  return { targets: [...new Set(targets)], suites: [...new Set(suites)].filter((suite) => existsSync(suite)) }
}

/** Every source of a room whose code is mutated: without interfaces, sorted; the base goes with channels. */
export function sources(room: Room): readonly string[] {
  const found = ROOMS[room].flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => `${folder}/${name}`),
  )
  return found.filter((path) => /\/(?!I[A-Z])\w+\.sol$/.test(path)).sort()
}

function textOf(texts: Texts, at: string): string | undefined {
  const place = existsSync(at) ? at : `node_modules/${at}`
  return texts.get(at) ?? (existsSync(place) ? readFileSync(place, 'utf8') : undefined)
}

function run(texts: Texts, input: object): Output {
  const contents = (at: string) => {
    const text = textOf(texts, at)
    return text === undefined ? { error: `there is no ${at}` } : { contents: text }
  }
  return JSON.parse(solc.compile(JSON.stringify({ language: 'Solidity', ...input }), { import: contents })) as Output
}

/** The syntax tree of a source. */
export function treeOf(path: string): Node {
  const text = readFileSync(path, 'utf8')
  const settings = { stopAfter: 'parsing', outputSelection: { '*': { '': ['ast'] } } }
  const { sources: trees, errors } = run(new Map(), { sources: { [path]: { content: text } }, settings })
  const tree = trees?.[path]?.ast
  if (!tree) throw new Error(`${path} cannot be read: ${errors?.[0]?.formattedMessage}`)
  return tree
}

function compiled(texts: Texts, targets: readonly string[], wanted: string): Output {
  const outputSelection = Object.fromEntries(targets.map((at) => [at, { '*': [wanted] }]))
  const sources = Object.fromEntries(targets.map((at) => [at, { content: textOf(texts, at)! }]))
  const settings = targets.some((at) => IN_PLASMA.test(at)) ? PLASMA_SETTINGS : SETTINGS
  return run(texts, { sources, settings: { ...settings, outputSelection } })
}

/** Where and why these texts are not Solidity. */
export function complaints(
  texts: Texts,
  targets: readonly string[],
): readonly { readonly path: string; readonly start: number; readonly says: string }[] {
  const { errors = [] } = compiled(texts, targets, 'abi')
  const wrong = errors.filter(({ severity }) => severity === 'error')
  return wrong.map(({ sourceLocation: at, formattedMessage: says }) => {
    return { path: at?.file ?? '', start: at?.start ?? 0, says }
  })
}

/** The deployed code of the targets under these texts; the compiler's first complaint if it does not build. */
export function build(texts: Texts, targets: readonly string[]): Built | string {
  const { errors, contracts } = compiled(texts, targets, 'evm.bytecode.object')
  const wrong = errors?.find(({ severity }) => severity === 'error')
  if (wrong) return wrong.formattedMessage
  const codes = targets.map((at) => {
    const all = Object.entries(contracts?.[at] ?? {}).map(([name, { evm }]) => [name, evm?.bytecode?.object ?? ''])
    return [at, Object.fromEntries(all.filter(([, code]) => code !== ''))]
  })
  return Object.fromEntries(codes)
}
