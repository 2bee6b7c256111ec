// A ledger as rows, so that a start need not execute every block again. It is a cache: what it says is what the blocks
// say, and a store without it, or with one that is damaged, starts from the blocks.
import { ETHER, type Hex, toHex, uint, write, ZERO } from '../base/Bytes.ts'
import { entries, mapOf } from '../base/HashMap.ts'
import { type Domain, keccak, keccakBytes, keccakText } from '../base/Signature.ts'
import type { Plain, Row } from '../base/Step.ts'
import { key, type Rows, row } from './Archive.ts'
import { type Coin, emptyLedger, type Ledger } from './Ledger.ts'
import type { RunningExits } from './Running.ts'

/** What tells that a snapshot is whole. `number` is that of the block that its ledger is open for. */
interface About {
  readonly number: number
  readonly committed: number
  readonly asOf: number
  readonly parts: number
  readonly digest: Hex
}

const TABLE = 'snapshot'
/** How many coins are one row. */
const PART = 2000
// Of a coin: id, owner, asset, value, lock, number, index, position.
const COIN = 32 + 20 + 20 + 32 + 32 + 5 + 2 + 1

/**
 * The rows of a ledger that is open for its first transaction, to be stored one after another: only the last makes a
 * snapshot of them, and removes the one before. `committed` = the last finally committed number.
 */
export function* snapshotRows(rows: Rows, ledger: Ledger, committed: number): Generator<readonly Row[]> {
  const { number, asOf } = ledger
  yield [...unfinished(rows), row(TABLE, 'begun', { number })]
  let [parts, digest, list] = [0, ZERO, [] as (readonly [Hex, Coin])[]]
  for (const entry of entries(ledger.coins)) {
    if (list.push(entry) < PART) continue
    const bytes = packCoins(list)
    digest = chained(digest, bytes)
    yield [{ table: TABLE, key: partKey(number, parts++), value: bytes }]
    list = []
  }
  const bytes = packCoins(list)
  const rest = restOf(ledger)
  digest = keccak(chained(digest, bytes), keccakText(textOf(rest)))
  const about: About = { number, committed, asOf, parts: parts + 1, digest }
  const last: Row = { table: TABLE, key: partKey(number, parts), value: bytes }
  const old = aboutIn(rows)
  const gone = old && old.number !== number ? partsOf(old.number, old.parts) : []
  const done: Row = { table: TABLE, key: 'begun', value: undefined }
  yield [...gone, last, { table: TABLE, key: restKey(number), value: rest }, row(TABLE, 'about', about), done]
}

/** The ledger of a store's snapshot and the last committed number, or undefined if there is none that is whole. */
export function storedSnapshot(
  rows: Rows,
  court: Domain,
  chain: Hex,
): { readonly ledger: Ledger; readonly committed: number } | undefined {
  const about = aboutIn(rows)
  if (!about) return undefined
  const { number, committed, asOf, parts } = about
  let digest = ZERO
  const coins: (readonly [Hex, Coin])[] = []
  for (let part = 0; part < parts; part++) {
    const bytes = rows.get(TABLE, partKey(number, part))
    if (!(bytes instanceof Uint8Array)) return undefined
    digest = chained(digest, bytes)
    unpackCoins(coins, bytes)
  }
  const rest = rows.get(TABLE, restKey(number)) as Rest | undefined
  if (!rest || keccak(digest, keccakText(textOf(rest))) !== about.digest) return undefined
  const empty = emptyLedger(court, chain, number - 1)
  const ledger = { ...empty, asOf, coins: mapOf(coins), owners: ownersOf(coins), ...restored(rest) }
  return { ledger, committed }
}

function aboutIn(rows: Rows): About | undefined {
  return rows.get(TABLE, 'about') as About | undefined
}

/** The removal of what a snapshot left that was never finished. */
function unfinished(rows: Rows): readonly Row[] {
  const begun = rows.get(TABLE, 'begun') as { readonly number: number } | undefined
  if (!begun || begun.number === aboutIn(rows)?.number) return []
  let parts = 0
  while (rows.get(TABLE, partKey(begun.number, parts)) !== undefined) parts++
  return partsOf(begun.number, parts)
}

function partsOf(number: number, parts: number): readonly Row[] {
  const keys = Array.from({ length: parts }, (_, part) => partKey(number, part))
  return [...keys, restKey(number)].map((at) => ({ table: TABLE, key: at, value: undefined }))
}

function partKey(number: number, part: number): string {
  return `coins/${key(number, part)}`
}

function restKey(number: number): string {
  return `rest/${key(number)}`
}

function chained(digest: Hex, bytes: Uint8Array): Hex {
  return keccak(digest, toHex(keccakBytes(bytes)))
}

// Coins

function packCoins(list: readonly (readonly [Hex, Coin])[]): Uint8Array {
  const bytes = new Uint8Array(COIN * list.length)
  let at = 0
  for (const [id, { output, number, index, position }] of list) {
    at = write(bytes, write(bytes, write(bytes, at, id), output.owner), output.asset)
    at = write(bytes, write(bytes, at, uint(output.value, 32)), output.lock)
    at = write(bytes, write(bytes, write(bytes, at, uint(number, 5)), uint(index, 2)), uint(position, 1))
  }
  return bytes
}

/** One text for all of a part, and what is cut out of it: a text for each field takes several times as long. */
function unpackCoins(list: (readonly [Hex, Coin])[], bytes: Uint8Array): void {
  const text = toHex(bytes)
  const cut = (from: number, length: number): Hex => `0x${text.slice(from, from + 2 * length)}`
  for (let at = 2; at < text.length; at += 2 * COIN) {
    const [asset, lock] = [cut(at + 104, 20), cut(at + 208, 32)]
    const output = {
      owner: cut(at + 64, 20),
      asset: asset === ETHER ? ETHER : asset,
      value: BigInt(cut(at + 144, 32)),
      lock: lock === ZERO ? ZERO : lock,
    }
    const [number, index, position] = [cut(at + 272, 5), cut(at + 282, 2), cut(at + 286, 1)]
    list.push([cut(at, 32), { output, number: Number(number), index: Number(index), position: Number(position) }])
  }
}

function ownersOf(coins: readonly (readonly [Hex, Coin])[]): Ledger['owners'] {
  const byOwner = new Map<Hex, [Hex, true][]>()
  for (const [id, { output }] of coins) {
    const ids = byOwner.get(output.owner)
    if (ids) ids.push([id, true])
    else byOwner.set(output.owner, [[id, true]])
  }
  return mapOf([...byOwner.keys()].sort().map((owner) => [owner, mapOf(byOwner.get(owner)!)] as const))
}

// Everything else of a ledger: maps as lists of their entries.

type Rest = { readonly [field: string]: Plain }

const MAPS = ['exits', 'inFlight', 'holds', 'ends', 'terms', 'revealed', 'kinds', 'times'] as const

function restOf({ approvals, running }: Ledger): Rest {
  const maps = MAPS.map((name) => [name, [...entries<unknown>(running[name])] as Plain] as const)
  const passed = (running.passed ?? null) as unknown as Plain
  return { ...Object.fromEntries(maps), passed, approvals: [...entries(approvals)].map(([at]) => at) }
}

function restored(rest: Rest): Pick<Ledger, 'approvals' | 'running'> {
  const maps = MAPS.map((name) => [name, mapOf(rest[name] as unknown as readonly (readonly [Hex, unknown])[])] as const)
  const passed = (rest.passed ?? undefined) as unknown as RunningExits['passed']
  const approvals = mapOf((rest.approvals as readonly Hex[]).map((at) => [at, true] as const))
  return { approvals, running: { ...(Object.fromEntries(maps) as unknown as RunningExits), passed } }
}

/** A text that differs for all rests that do. */
function textOf(rest: Rest): string {
  return JSON.stringify(rest, (_, value) => (typeof value === 'bigint' ? `#${value}` : value))
}
