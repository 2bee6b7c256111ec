import { creditKey } from '../core/base/Asset.ts'
import { ETHER, type Hex } from '../core/base/Bytes.ts'
import { Refusal, require } from '../core/base/Step.ts'
import type { ChannelCall, ChannelEvent } from '../core/channel/Call.ts'
import type { ChannelStatus } from '../core/channel/Status.ts'
import type { Whereabouts } from '../core/channel/Whereabouts.ts'
import type { Chain, Creditor } from '../edge/chain/Chain.ts'
import type { ClaimedView, MoneyView, NodeEvent } from '../edge/http/NodeApi.ts'
import { sendTold } from './Herald.ts'

interface Channels {
  channels(): readonly Hex[]
  status(id: Hex): ChannelStatus
  whereabouts(id: Hex, credit?: bigint): Whereabouts
}

/** What the court keeps for the owners of a node's channels, as it was last heard, and where their money is by that. */
export class Credits {
  readonly #node: Channels
  readonly #chain: Pick<Chain<ChannelCall, ChannelEvent>, 'send'> & Creditor
  readonly #tell: (event: NodeEvent) => void
  /** By asset and owner; null once the court could not be asked. */
  readonly #known = new Map<Hex, bigint | null>()

  constructor(
    node: Channels,
    chain: Pick<Chain<ChannelCall, ChannelEvent>, 'send'> & Creditor,
    tell: (event: NodeEvent) => void,
  ) {
    this.#node = node
    this.#chain = chain
    this.#tell = tell
  }

  /** Asks the court anew, for those channels whose side it has paid; what it cannot tell is not known from then on. */
  async refresh(ids: readonly Hex[]): Promise<void> {
    const paid = ids.filter((id) => this.#node.whereabouts(id).paidOut > 0n).map((id) => this.#owner(id))
    const pairs = new Map(paid.map((one) => [creditKey(one.asset, one.owner), one]))
    await Promise.all(
      [...pairs].map(async ([key, { asset, owner }]) => {
        this.#known.set(key, await this.#chain.credit(asset, owner).catch(() => null))
      }),
    )
  }

  /** Where a channel's money is. A credit of one owner in several channels is theirs in their order. */
  money(id: Hex): MoneyView {
    const { paidOut } = this.#node.whereabouts(id)
    const credit = paidOut === 0n ? 0n : this.#of(id)
    const { locked = null, inDispute = null, ...amounts } = this.#node.whereabouts(id, credit ?? 0n)
    return { ...amounts, locked, inDispute, credit }
  }

  /** Sends all that the court keeps for a channel's owner, in its asset and in ether, to an address. Refuses NoCredit. */
  async claim(id: Hex, to?: Hex): Promise<readonly ClaimedView[]> {
    const { asset, owner } = this.#owner(id)
    const claims: ClaimedView[] = []
    for (const one of new Set([asset, ETHER])) {
      const amount = await this.#chain.credit(one, owner)
      if (amount === 0n) continue
      const call = { verb: 'claimCredit', asset: one, owner, to: to ?? owner } as const
      const mined = await sendTold(this.#chain, this.#tell, id, call)
      claims.push({ asset: one, amount, ...mined })
    }
    require(claims.length > 0, 'NoCredit', asset, owner)
    return claims
  }

  #of(id: Hex): bigint | null {
    const key = this.#key(id)
    let rest = this.#known.get(key) ?? null
    if (rest === null || rest === 0n) return rest
    for (const one of this.#node.channels()) {
      if (this.#key(one) !== key) continue
      const { credit } = this.#node.whereabouts(one, rest)
      if (one === id) return credit
      rest -= credit
    }
    throw new Refusal('UnknownChannel', id)
  }

  #owner(id: Hex): { readonly asset: Hex; readonly owner: Hex } {
    const { channel, side } = this.#node.status(id)
    return { asset: channel.asset, owner: channel[side].owner }
  }

  #key(id: Hex): Hex {
    const { asset, owner } = this.#owner(id)
    return creditKey(asset, owner)
  }
}
