// Where an operator's committed transactions are, by their hash.
import { concat, type Hex, slice, toBytes, uint } from '../base/Bytes.ts'
import type { Row } from '../base/Step.ts'
import { key, type Rows } from './Archive.ts'

/** A transaction's place: number of its block and index in it. */
export interface Place {
  readonly number: number
  readonly index: number
}

/** A store whose tables can be read in pages. */
export interface PagedRows extends Rows {
  all(table: string, range?: { readonly after?: string; readonly limit?: number }): ReturnType<Rows['all']>
}

const TABLE = 'places'
/** Bytes of a hash that are kept: nobody finds two with the same ones. */
const NAME = 16
const ENTRY = NAME + 2
/** How many rows are read at once. */
const PAGE = 256

/** The rows that tell where a block's transactions are: one for each first byte of a hash, so that few pages are read. */
export function placeRows(number: number, hashes: readonly Hex[]): readonly Row[] {
  const byFirst = new Map<Hex, Hex[]>()
  for (const [index, hash] of hashes.entries()) {
    const first = slice(hash, 0, 1)
    const entries = byFirst.get(first) ?? []
    if (entries.length === 0) byFirst.set(first, entries)
    entries.push(concat(slice(hash, 0, NAME), uint(index, 2)))
  }
  return [...byFirst].map(([first, entries]) => {
    return { table: TABLE, key: keyOf(first, number), value: toBytes(concat(...entries)) }
  })
}

/** Newest first. */
function keyOf(first: Hex, number: number): string {
  return `${first}/${key(LAST - number)}`
}

const LAST = 9_999_999_999_999

/** The place of a committed transaction, looked for in the newest `blocks` blocks up to number `newest`. */
export function storedPlace(rows: PagedRows, hash: Hex, newest: number, blocks: number): Place | undefined {
  const [first, name] = [slice(hash, 0, 1), toBytes(slice(hash, 0, NAME))]
  const end = keyOf(first, Math.max(0, newest - blocks))
  let after = keyOf(first, newest + 1)
  for (;;) {
    const page = rows.all(TABLE, { after, limit: PAGE })
    for (const [at, entries] of page) {
      if (at >= end) return undefined
      const index = find(entries as Uint8Array, name)
      if (index !== undefined) return { number: LAST - Number(at.split('/')[1]), index }
    }
    if (page.length < PAGE) return undefined
    after = page.at(-1)![0]
  }
}

function find(entries: Uint8Array, name: Uint8Array): number | undefined {
  for (let at = 0; at < entries.length; at += ENTRY) {
    let same = 0
    while (same < NAME && entries[at + same] === name[same]) same++
    if (same === NAME) return (entries[at + NAME]! << 8) | entries[at + NAME + 1]!
  }
  return undefined
}

/** The row that tells why an acknowledged transaction is in no block: when blocks were built again, it had no place. */
export function droppedRow(hash: Hex, code: string): Row {
  return { table: 'dropped', key: hash, value: code }
}

/** Why an acknowledged transaction was dropped, if it was. */
export function storedDrop(rows: Rows, hash: Hex): string | undefined {
  return rows.get('dropped', hash) as string | undefined
}
