import type { Plain, Row } from '../../core/base/Step.ts'

/** Durable rows: one process at a time, one commit a batch, all of it or nothing. */
export interface Store {
  /** The value under a key, or undefined. */
  get(table: string, key: string): Plain | undefined
  /** All rows of a table, in the order of their keys. */
  all(table: string): readonly (readonly [key: string, value: Plain])[]
  /** Writes all rows, durably, in one transaction; a later row of the same key wins; undefined removes. */
  commit(rows: readonly Row[]): void
  /** Frees the file. Closing twice is harmless. */
  close(): void
}
