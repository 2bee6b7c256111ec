import { expect } from 'chai'
import { stale, textOf } from '../bench/snapshot.ts'
import { badNames, barrels, longFunctions, tooLong } from './house/ceilings.ts'
import { type Files, planted, projectFiles } from './house/files.ts'
import { staleTypes } from './house/fresh.ts'
import { unlikeNouns, unlikeSignedTypes, unlikeVerbs, untwinned } from './house/nouns.ts'
import { impurities } from './house/purity.ts'
import { strangeRefusals } from './house/refusals.ts'
import { cycles, meetings, misplacedImports } from './house/rooms.ts'

type Check = (files: Files) => readonly string[]
type Plant = readonly [what: string, files: Readonly<Record<string, string>>, words: RegExp]

describe('house', () => {
  const files = projectFiles()

  /** The project keeps a rule, and each planted violation is told, alone. */
  function keeps(rule: string, check: Check, plants: readonly Plant[]): void {
    describe(rule, () => {
      const found = check(files)
      it('holds', () => expect(found).to.deep.equal([]))
      for (const [what, more, words] of plants) {
        it(`catches ${what}`, () => {
          const told = check(planted(files, more)).filter((violation) => !found.includes(violation))
          expect(told).to.have.length(1)
          expect(told[0]).to.match(words)
        })
      }
    })
  }

  /** A file of the project with one text replaced by another. */
  function edited(path: string, from: string, to: string): Readonly<Record<string, string>> {
    const text = files.get(path)
    if (!text?.includes(from)) throw new Error(`${path} has no "${from}" to plant a violation in`)
    return { [path]: text.replace(from, to) }
  }

  const inCore = (text: string): Readonly<Record<string, string>> => ({ 'src/core/base/Planted.ts': text })

  keeps('rooms import from themselves and earlier rooms', misplacedImports, [
    ['base using channel', inCore("import '../channel/Channel.ts'"), /base may not use src\/core\/channel/],
    [
      'channel using plasma',
      { 'src/core/channel/Planted.ts': "import type {} from '../plasma/Exit.ts'" },
      /may not use/,
    ],
    [
      'an edge using a role',
      { 'src/edge/Planted.ts': "export * from '../role/Loop.ts'" },
      /edge may not use src\/role/,
    ],
    ['a role using a task', { 'src/role/Planted.ts': "void import('../task/Any.ts')" }, /role may not use src\/task/],
    ['an import type', inCore("export type A = import('../../edge/Fault.ts').Fault"), /base may not use src\/edge/],
    ['src using a test', { 'src/role/Planted.ts': "import '../../test/fuzz.ts'" }, /outside its rooms/],
    [
      'a role using the generated types',
      { 'src/role/Planted.ts': "import '../../typechain-types/index.ts'" },
      /only src\/edge/,
    ],
    ['an import without .ts', { 'src/role/Planted.ts': "import './Loop.js'" }, /ends in \.ts/],
    ['a file in no room', { 'src/Planted.ts': '' }, /no room/],
  ])

  keeps('channel and plasma meet in roles only', meetings, [
    [
      'an edge that uses both',
      { 'src/edge/Planted.ts': "import '../core/channel/Channel.ts'\nimport '../core/plasma/Exit.ts'" },
      /Planted\.ts brings/,
    ],
    [
      'an edge that uses both through another edge',
      {
        'src/edge/Planted.ts': "import '../core/channel/Channel.ts'\nimport './Other.ts'",
        'src/edge/Other.ts': "import '../core/plasma/Exit.ts'",
      },
      /Planted\.ts brings/,
    ],
  ])

  keeps('imports have no cycles', cycles, [
    [
      'two files that import each other',
      { 'src/role/A.ts': "import type {} from './B.ts'", 'src/role/B.ts': "import './A.ts'" },
      /A\.ts -> src\/role\/B\.ts -> src\/role\/A\.ts/,
    ],
    ['a file that imports itself', { 'bench/A.ts': "import './A.ts'" }, /bench\/A\.ts -> bench\/A\.ts/],
  ])

  keeps('the core is pure', impurities, [
    ['an async function', inCore('export async function f() {}'), /async/],
    ['await', { 'src/core/base/Signature.ts': `${files.get('src/core/base/Signature.ts')}\nawait 0` }, /await/],
    ['a promise as a type', inCore('export type A = Promise<void>'), /Promise/],
    ['the clock', inCore('export const now = () => Date.now()'), /Date/],
    ['chance', inCore('export const r = Math.random()'), /Math\.random/],
    ['chance under another name', inCore('const { random } = Math'), /Math\.random/],
    ['the environment', inCore('export const e = process.env'), /process/],
    ['a global of globalThis', inCore("export const e = globalThis['pro' + 'cess']"), /globalThis/],
    ['the network', inCore("fetch('http://127.0.0.1')"), /fetch/],
    ['the console', inCore('console.log(1)'), /console/],
    ['a timer', inCore('setTimeout(() => undefined)'), /setTimeout/],
    ['a module of Node', inCore("import 'node:crypto'"), /node:crypto/],
    ['a module of Node without its prefix', inCore("import 'fs'"), /imports fs/],
    ['a provider', inCore("import { ethers } from 'ethers'\nexport const e = ethers"), /imports ethers/],
  ])

  it('lets a verb, a field and a parameter of the core be named as a global is', () => {
    const text = [
      'export function process(fetch: number): number { return fetch }',
      'export const court = { process, Date: process(1) }',
      'export const paid = court.process(court.Date)',
    ]
    expect(impurities(planted(new Map(), inCore(text.join('\n'))))).to.deep.equal([])
  })

  const require = "import { require } from '../base/Step.ts'\n"
  const inChannel = (text: string): Readonly<Record<string, string>> => ({
    'src/core/channel/Planted.ts': require + text,
  })

  keeps("refusals are the contracts' custom errors", strangeRefusals, [
    ['a code of no contract', inChannel("require(false, 'Nonsense', 1)"), /Nonsense, which no contract declares/],
    ['a code that only the other court declares', inChannel("require(false, 'KnownChain', 1)"), /KnownChain/],
    ['too few arguments', inChannel("require(false, 'StaleVersion', 1n)"), /StaleVersion of 1 arguments, .* has 2/],
    ['a thrown refusal', inChannel("throw new Refusal('Nonsense')"), /Nonsense/],
    ['a code in a variable', inChannel("const code = 'FinalVersion'\nrequire(false, code)"), /not a literal/],
    ['a code in a comment only', inChannel("// require(false, 'Fine')\nrequire(false, 'Unfine')"), /Unfine/],
    [
      'an off-chain code that nothing refuses with',
      { 'src/core/channel/Planted.ts': "export const OFF_CHAIN_CODES = ['Idle'] as const" },
      /Idle, which nothing refuses with/,
    ],
    [
      'an off-chain code that is a custom error',
      inChannel("require(false, 'FinalVersion')\nexport const OFF_CHAIN_CODES = ['FinalVersion'] as const"),
      /FinalVersion, which is a custom error/,
    ],
  ])

  keeps('nouns of both languages have the same fields in the same order', unlikeNouns, [
    [
      'swapped fields',
      edited(
        'src/core/channel/Channel.ts',
        'readonly a: Party\n  readonly b: Party',
        'readonly b: Party\n  readonly a: Party',
      ),
      /Channel is \{ b: Party, a/,
    ],
    [
      'another type',
      edited('src/core/channel/Channel.ts', 'readonly bond: bigint', 'readonly bond: number'),
      /bond: number/,
    ],
    [
      'an optional field',
      edited('src/core/plasma/Transaction.ts', 'readonly memo: Hex', 'readonly memo?: Hex'),
      /memo\?/,
    ],
    [
      'a missing noun',
      edited('src/core/channel/Channel.ts', 'interface Party', 'interface Side1'),
      /no interface Party/,
    ],
  ])

  keeps('verbs and events of both languages have the same fields in the same order', unlikeVerbs, [
    ['a verb that the court has not', edited('src/core/channel/Call.ts', "'settle'", "'unsettle'"), /has unsettle/],
    ['an event with another field', edited('src/core/channel/Call.ts', 'readonly payA', 'readonly payC'), /payC/],
  ])

  keeps('both languages sign the same types', unlikeSignedTypes, [
    [
      'a type of another width',
      edited('src/core/channel/Channel.ts', 'uint64 version,int128 net', 'uint64 version,int256 net'),
      /int256 net.*in Solidity/,
    ],
    [
      'an interface in another order',
      edited('src/core/channel/Channel.ts', 'readonly batch: Hex', 'readonly paid: Hex'),
      /State is signed as/,
    ],
  ])

  keeps('every noun of both languages has a twin test', untwinned, [])

  it('misses the twin test of a noun that no random test of contracts imports', () => {
    const untested = new Map([...files].filter(([path]) => !path.startsWith('test/channel/')))
    expect(untwinned(untested)).to.contain(
      'src/core/channel/Channel.ts has no twin test: none imports it, fast-check and hardhat',
    )
  })

  keeps('files are short', tooLong, [
    ['a contract of 601 lines', { 'contracts/base/Planted.sol': 'contract Planted {}\n'.repeat(601) }, /601 lines/],
    ['a library of 151 lines', { 'contracts/base/Planted.sol': `library Planted {\n${'\n'.repeat(149)}}\n` }, /is 150/],
    ['a TypeScript file of 401 lines', { 'test/base/Planted.ts': '\n'.repeat(401) }, /401 lines, its ceiling is 400/],
    ['a script of 81 lines', { 'scripts/planted.ts': '\n'.repeat(81) }, /81 lines, its ceiling is 80/],
  ])

  keeps('functions are short', longFunctions, [
    [
      'a middle function of many lines',
      { 'src/edge/Long.ts': `export function f() {${'\n'.repeat(20)}}\n`.repeat(4_000) },
      /function of src has 21 lines, its ceiling is 15/,
    ],
    [
      'a middle function of many lines in Solidity',
      { 'contracts/base/Long.sol': `    function f() external {\n${'        x;\n'.repeat(10)}    }\n`.repeat(1_000) },
      /function of contracts has 12 lines, its ceiling is 10/,
    ],
  ])

  keeps('names say something', badNames, [
    ['utils', { 'src/edge/utils.ts': '' }, /utils/],
    ['a folder of helpers', { 'src/edge/Helpers/Any.ts': '' }, /Helpers/],
    ['misc with two endings', { 'test/misc.test.ts': '' }, /misc/],
  ])

  keeps('src has no barrels', barrels, [
    ['an index', { 'src/edge/index.ts': 'export const a = 1' }, /index/],
    ['a file of re-exports', { 'src/edge/All.ts': "export { Fault } from './Fault.ts'" }, /All\.ts is a barrel/],
    ['a star among code', { 'src/edge/All.ts': "export const a = 1\nexport * from './Fault.ts'" }, /passes on all/],
  ])

  const factory = 'typechain-types/factories/base/Verdicts.sol/VerdictRegistry__factory.ts'
  keeps('typechain-types is what the contracts build to', staleTypes, [
    ['another ABI', edited(factory, '"name": "Revealed"', '"name": "Shown"'), /VerdictRegistry__factory/],
    ['another bytecode', edited(factory, '_bytecode = "0x60', '_bytecode = "0x61'), /VerdictRegistry__factory/],
    [
      'a contract that is gone',
      { 'typechain-types/factories/Gone__factory.ts': '' },
      /Gone__factory\.ts belongs to no/,
    ],
  ])

  it('tells a stale snapshot key by key: moved, gone, new, written otherwise', () => {
    const figures = { 'a.eth': 1, b: 2 }
    expect(stale(textOf({ b: 2, 'a.eth': 1 }), figures)).to.deep.equal([])
    expect(stale(textOf({ 'a.eth': 1, b: 3 }), figures)).to.deep.equal(['b: 3 is recorded, 2 measured'])
    expect(stale(textOf({ 'a.eth': 1, b: 2, c: 1 }), figures)).to.deep.equal(['c: 1 is recorded, nothing measured'])
    expect(stale(textOf({ b: 2 }), figures)).to.deep.equal(['a.eth: nothing is recorded, 1 measured'])
    expect(stale('{"a.eth":1,"b":2}', figures)).to.have.length(1)
  })
})
