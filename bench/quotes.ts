import { readFileSync } from 'node:fs'
import { NAMES } from './speed/profiler.ts'
import { GAS_TARGETS, SPEED_TARGETS } from './targets.ts'

/** A passage of a document that quotes snapshots: what its groups must be, given what they are. */
export interface Quote {
  readonly file: string
  readonly passage: RegExp
  readonly figures: (had: readonly string[]) => readonly string[]
}

/** A snapshot's content. */
export type Snapshot = Readonly<Record<string, unknown>>
/** The snapshots that documents quote, by their file's name. */
export type Snapshots = Readonly<Record<'gas' | 'speed' | 'peers' | 'profile', Snapshot>>

/** The committed snapshots. */
export function snapshots(): Snapshots {
  const read = (name: string) => JSON.parse(readFileSync(`snapshots/${name}.json`, 'utf8')) as Snapshot
  const [gas, speed, peers, profile] = ['gas', 'speed', 'peers', 'profile'].map(read)
  return { gas: gas!, speed: speed!, peers: peers!, profile: profile! }
}

const VERBS = ['open', 'deposit', 'conclude', 'challenge', 'answer', 'settle']
/** The rows of the table of Plasma's gas: how they begin, and their keys. */
const PLASMA = [
  ['`commit`', 'commit'],
  ['`deposit.erc20`', 'deposit.erc20'],
  ['`exit.tx`', 'exit.tx'],
  ['`challenge`', 'challenge'],
  ['`exit.level`', 'exit.level'],
  ['`exits.batch.deposits`', 'exits.batch.deposits'],
  ['`inflight` 1x1, 2x2, 4x4', 'inflight.1x1', 'inflight.2x2', 'inflight.4x4'],
  ['`piggyback`, `challengeOutput`', 'piggyback', 'challengeOutput'],
  ['`competitor.included`, `respond`', 'competitor.included', 'respond'],
  ['`process`', 'process'],
  ['`process.group`', 'process.group'],
  ['`process.inflight`', 'process.inflight'],
] as const
/** What the profile's groups are, for readers. */
const GROUPS: Readonly<Record<string, string>> = {
  garbage: 'garbage',
  keccak: 'keccak-256',
  signatures: 'signatures',
  sqlite: 'SQLite: what must be durable, written once and synced',
  sockets: 'sockets and frames',
  codec: 'rows and messages to text and back',
  machine: 'the machine: packing, judging, copying',
  promises: 'promises and the map of who waits',
  loop: 'the loop and links',
  rest: 'the rest',
  waits: 'waits for the other, of all time',
}

/** Every passage of README.md and ARCHITECTURE.md that quotes a snapshot. */
export function quotes({ gas, speed, peers, profile }: Snapshots): readonly Quote[] {
  const of = (snapshot: Snapshot, ...keys: readonly string[]) => keys.map((key) => number(snapshot, key))
  const env = speed.environment as Snapshot
  const lock = Math.round((Number(gas['channel.settle.locks100']) - Number(gas['channel.settle.locks10'])) / 90)
  const readme = (passage: RegExp, figures: readonly string[]) => ({
    file: 'README.md',
    passage,
    figures: () => figures,
  })
  const architecture = (passage: RegExp, figures: Quote['figures']) => ({ file: 'ARCHITECTURE.md', passage, figures })
  const both = (verb: string) => [`channel.${verb}.eth`, `channel.${verb}.erc20`]
  const peer = (who: string, verb: string) => [`peer.${who}.${verb}.eth`, `peer.${who}.${verb}.erc20`]
  return [
    readme(/\| Nitro (\S+) \| Vector (\S+) \|/d, [
      String(peers['peer.nitro.version']),
      String(peers['peer.vector.version']),
    ]),
    ...VERBS.map((verb) =>
      readme(RegExp(String.raw`^\| ${verb}[^|]*\| (\S+) / (\S+) \| (\S+) / (\S+) \| (\S+) / (\S+) \|$`, 'dm'), [
        ...of(gas, ...both(verb)),
        ...of(peers, ...peer('nitro', verb), ...peer('vector', verb)),
      ]),
    ),
    readme(
      /gas: deposit (\S+), commit a block (\S+), exit a deposit (\S+), exit an output\s+(\S+) \(a young one (\S+)\), challenge (\S+) \(with the spend's proof (\S+)\), process one of 50\s+(\S+) \(a deposit (\S+)\)/d,
      of(
        gas,
        ...['plasma.deposit.eth', 'plasma.commit', 'plasma.exit.deposit', 'plasma.exit.tx', 'plasma.exit.young'],
        ...['plasma.challenge', 'plasma.challenge.included', 'plasma.process', 'plasma.process.deposit'],
      ),
    ),
    readme(
      /a revealed lock adds about (\S+) to a settlement, a withdrawal costs\s+(\S+), opening a hundred channels at once (\S+) each/d,
      [shown(lock), ...of(gas, 'channel.withdraw.eth', 'channel.openMany.100.eth')],
    ),
    readme(/^Speed on (\d+) cores \(([^)]+)\), Node (\S+),/dm, [env.cores, env.cpu, env.node].map(String)),
    readme(
      /one at a time, two processes: (\S+)\/s \(p50 (\S+) ms, p99 (\S+) ms\)/d,
      of(speed, 'channel.pay.serial', 'channel.pay.serial.p50', 'channel.pay.serial.p99'),
    ),
    readme(
      /memo and receipt: (\S+)\/s, (\d+) bytes each; random pairs of 1,000 channels through one hub: (\S+)\/s/d,
      of(speed, 'channel.pay.pipelined', 'channel.pay.pipelined.bytes', 'channel.many'),
    ),
    readme(
      /hash locks in one channel: (\S+)\/s; states that a tower stores: (\S+)\/s;/d,
      of(speed, 'channel.htlc.direct', 'tower.show'),
    ),
    readme(
      /in process (\S+), over HTTP in batches (\S+), executed again by a watcher\s+(\S+); a full block is sealed in (\S+) ms/d,
      of(speed, 'plasma.ingest', 'plasma.ingest.http', 'plasma.watch', 'plasma.seal'),
    ),
    ...VERBS.map((verb) =>
      architecture(RegExp(String.raw`^\| ${verb} \| (\S+) \| (\S+) \| (\S+) \|`, 'dm'), ([, fixed = '']) => {
        const all = Number(gas[`channel.${verb}.eth`])
        return [shown(all), fixed, shown(all - Number(fixed.replace(',', '')))]
      }),
    ),
    // Of what stands in the way, and of what was tried, only the first two columns can be measured again.
    ...PLASMA.map(([label, ...verbs]) => {
      const keys = verbs.map((verb) => `plasma.${verb}`)
      return architecture(RegExp(String.raw`^\| ${label} \| (\d[^|]+) \| (\d[^|]+) \|.*$`, 'dm'), () => [
        of(gas, ...keys).join(', '),
        of(GAS_TARGETS, ...keys).join(', '),
      ])
    }),
    architecture(/A revealed lock adds (\S+) to a settlement/d, () => [shown(lock)]),
    architecture(
      /stay `challenge` \((\S+); its fixed part with this event and layout leaves (\S+) for/d,
      ([, left = '']) => [shown(GAS_TARGETS['channel.challenge.eth']!), left],
    ),
    architecture(/`channel\.htlc\.direct` \((\S+) of (\S+) a second\)/d, () => [
      ...of(speed, 'channel.htlc.direct'),
      ...of(SPEED_TARGETS, 'channel.htlc.direct'),
    ]),
    architecture(/A stream of payments reaches (\S+) of ([\d,]+)/d, () => [
      ...of(speed, 'channel.pay.pipelined'),
      ...of(SPEED_TARGETS, 'channel.pay.pipelined'),
    ]),
    architecture(/^\| of its work \|.*\n\|[-|]+\|\n((?:\|.*\n)+)/dm, () => [sharesOf(profile)]),
    architecture(/the payee waits (\d+) % of the time/d, () => of(profile, 'payee.waits')),
  ]
}

/** The rows of the table of shares, the payer's largest first. */
function sharesOf(profile: Snapshot): string {
  const share = (who: string, group: string) => Number(profile[`${who}.${group}`])
  const groups = NAMES.toSorted((x, y) => share('payer', y) - share('payer', x))
  return [...groups, 'rest', 'waits']
    .map((group) => `| ${GROUPS[group]} | ${share('payer', group)} % | ${share('payee', group)} % |\n`)
    .join('')
}

function number(snapshot: Snapshot, key: string): string {
  const value = snapshot[key]
  if (typeof value !== 'number') throw new Error(`no snapshot has ${key}: measure it, or quote another figure`)
  return shown(value)
}

/** A figure as documents write it: thousands apart, as many decimals as the snapshot has. */
function shown(value: number): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: 3 })
}

/** A document with every figure as the snapshots have it. Throws if a passage is not there, or is there twice. */
export function requoted(text: string, passages: readonly Quote[]): string {
  return passages.reduce((before, { file, passage, figures }) => {
    const all = [...before.matchAll(RegExp(passage.source, `${passage.flags}g`))]
    if (all.length !== 1)
      throw new Error(`${file} says ${passage} ${all.length} times: it must once, or bench/quotes.ts less`)
    const [found] = all
    const now = figures(found!.slice(1))
    const places = found!.indices!.slice(1)
    return places.reduceRight((text, at, i) => (at ? text.slice(0, at[0]) + now[i] + text.slice(at[1]) : text), before)
  }, text)
}

/** The numbers from a thousand up in a part of a document that no passage quotes. */
export function unquoted(text: string, passages: readonly Quote[]): readonly string[] {
  const rest = passages.reduce((before, { passage }) => before.replace(passage, ''), text)
  return [...rest.matchAll(/\b\d{1,3}(?:,\d{3})+\b/g)].map(([one]) => one)
}
