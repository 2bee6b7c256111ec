import type { Plain, Row } from '../../core/base/Step.ts'

/** Durable rows: one process at a time, one commit a batch, all of it or nothing. */
export interface Store {
  /** The value under a key, or undefined. */
  get(table: string, key: string): Plain | undefined
  /**
   * The rows of a table in the order of their keys (by code points), from the first one after the key `after`, at most
   * `limit` of them. Without `range`: all.
   */
  all(table: string, range?: Range): readonly (readonly [key: string, value: Plain])[]
  /** Writes all rows, durably, in one transaction; a later row of the same key wins; undefined removes. */
  commit(rows: readonly Row[]): void
  /** Frees the file. Closing twice is harmless. */
  close(): void
}

/** A part of a table, for tables too long to be read at once. */
export interface Range {
  readonly after?: string
  readonly limit?: number
}
