import type { Hex } from '../core/base/Bytes.ts'
import { require } from '../core/base/Step.ts'
import { key, type Rows, storedBlock } from '../core/plasma/Archive.ts'
import type { OperatorInput, OperatorOutput } from '../core/plasma/Office.ts'
import { type Opening, openingOf } from '../core/plasma/Opening.ts'
import type { ParentApi } from '../edge/http/OperatorApi.ts'

/** How the ancestors' blocks of a number show the chain of a store, which is so deep. Refuses UnknownBlock. */
export function openingsIn(rows: Rows, depth: number, number: number): readonly Opening[] {
  const stored = rows.get('openings', key(number)) as unknown as readonly Opening[] | undefined
  const known = depth > 1 ? stored !== undefined : (storedBlock(rows, number)?.time ?? 0) > 0
  require(known, 'UnknownBlock', number)
  return stored ?? []
}

/** The same for the chain's child in a slot; `txRoot` tells the root of the transactions of one of its own blocks. */
export function openingsOf(
  rows: Rows,
  depth: number,
  number: number,
  slot: number,
  txRoot: () => Hex,
): readonly Opening[] {
  const above = openingsIn(rows, depth, number)
  const record = storedBlock(rows, number)
  // Without a block here what the ancestors show says already that there is none below.
  return record && record.time > 0 ? [...above, openingOf(txRoot(), record.children ?? [], slot)] : above
}

/** The errands of a child's operator to its parent's: each question once at a time, asked again until it is answered. */
export class Kinship {
  readonly #parent: ParentApi
  readonly #slot: number
  readonly #post: (input: OperatorInput) => void
  readonly #onTrouble: (why: unknown) => void
  readonly #open = new Set<string>()

  constructor(
    parent: ParentApi,
    slot: number,
    post: (input: OperatorInput) => void,
    onTrouble: (why: unknown) => void = () => {},
  ) {
    this.#parent = parent
    this.#slot = slot
    this.#post = post
    this.#onTrouble = onTrouble
  }

  /** Does what an output asks for, if it is for the parent. */
  speak(output: OperatorOutput): void {
    if (output.kind === 'ask') this.#once('ask', () => this.#ask())
    if (output.kind === 'offer')
      this.#once(`offer ${output.offer.header}`, () => this.#parent.offer(this.#slot, output.offer))
    if (output.kind === 'open') this.#once(`open ${output.number}`, () => this.#openNumber(output.number))
  }

  async #ask(): Promise<void> {
    const tender = await this.#parent.tender(this.#slot)
    if (tender) this.#post({ kind: 'tendered', tender })
  }

  async #openNumber(number: number): Promise<void> {
    const openings = await this.#parent.openingsOf(this.#slot, number)
    this.#post({ kind: 'opened', number, openings })
  }

  #once(what: string, run: () => Promise<void>): void {
    if (this.#open.has(what)) return
    this.#open.add(what)
    run()
      .catch((why) => this.#onTrouble(why))
      .finally(() => this.#open.delete(what))
  }
}
