import type { Plain, Row } from '../../core/base/Step.ts'
import { decode, encodeFrame, type Frame } from '../Codec.ts'
import { Fault } from '../Fault.ts'
import type { Range, Store } from './Store.ts'

/** A store that lasts as long as the object: for tests and simulated worlds. Values are copied in and out. */
export function memoryStore(): Store {
  const tables = new Map<string, Map<string, Frame>>()
  let closed = false

  function open(table: string): Map<string, Frame> {
    if (closed) throw new Fault('StoreClosed', 'this store was closed; open it again')
    return tables.get(table) ?? new Map()
  }

  return {
    get(table, key) {
      const frame = open(table).get(key)
      return frame === undefined ? undefined : decode(frame)
    },
    all(table, range = {}) {
      return rowsOf(open(table), range)
    },
    commit(rows) {
      open('')
      // Encoded first: a row that cannot be kept refuses the whole batch.
      const frames = rows.map(frameOf)
      for (let i = 0; i < rows.length; i++) put(tables, rows[i]!, frames[i])
    },
    close() {
      closed = true
    },
  }
}

/** The frame kept for a row's value, undefined for a removal. Throws Malformed on names or values that no store keeps. */
export function frameOf({ table, key, value }: Row): Frame | undefined {
  if (!table.isWellFormed() || !key.isWellFormed()) {
    throw new Fault('Malformed', 'a table or key has half a character (a lone surrogate)')
  }
  return value === undefined ? undefined : encodeFrame(value)
}

function put(tables: Map<string, Map<string, Frame>>, { table, key }: Row, frame: Frame | undefined): void {
  const rows = tables.get(table) ?? new Map<string, Frame>()
  tables.set(table, rows)
  if (frame === undefined) rows.delete(key)
  else rows.set(key, frame)
}

function rowsOf(rows: Map<string, Frame>, { after, limit }: Range): readonly (readonly [string, Plain])[] {
  const keys = [...rows.keys()].filter((key) => after === undefined || order(key, after) > 0).sort(order)
  return keys.slice(0, limit).map((key) => [key, decode(rows.get(key)!)] as const)
}

/** By code points, as SQLite compares; JavaScript's own `<` compares UTF-16 units, which differs past U+FFFF. */
function order(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}
