import type { Hex } from '../core/base/Bytes.ts'
import { require } from '../core/base/Step.ts'
import { hashLock } from '../core/base/Verdicts.ts'
import type { LockRequest, LockView, NodeApi, NodeEvent, Params } from '../edge/http/NodeApi.ts'
import type { ChannelNode } from './ChannelNode.ts'
import { lockView } from './NodeViews.ts'

/** What a desk for locks needs of the whole one. */
export interface LockDeskParts {
  readonly node: Pick<ChannelNode, 'lock' | 'locks' | 'fulfil' | 'fail' | 'status' | 'payment' | 'unended'>
  readonly subscribe: NodeApi['subscribe']
  /** What a promise brings, or what is known when the patience is over. */
  readonly patiently: <T>(ended: Promise<T>, known: () => T) => Promise<T>
}

type Asked = Required<Omit<LockRequest, 'paymentId' | 'payload'>> & { readonly paymentId: Hex; readonly payload: Hex }

interface Begun {
  readonly asked: Asked
  /** Resolves once both have signed the lock. */
  readonly open: Promise<LockView>
}

/** Where those who run a node ask it for locks, and to take them or give them up. */
export class LockDesk {
  readonly #parts: LockDeskParts
  readonly #begun = new Map<string, Begun>()

  constructor(parts: LockDeskParts) {
    this.#parts = parts
  }

  /** The open locks of a channel, in the order of their addition. */
  list(id: Hex): readonly LockView[] {
    const { side } = this.#parts.node.status(id)
    return this.#parts.node.locks(id).map((lock) => lockView(lock, side))
  }

  /** Nothing waits between the look and the note that the lock is under way, so equal requests lock once. */
  async lock({ paymentId: named, payload = '0x', ...request }: LockRequest): Promise<LockView> {
    // A secret is for one lock, so that its hash is a name too: who asks again without another makes no second one.
    const paymentId = named ?? request.key
    const asked: Asked = { ...request, paymentId, payload }
    const key = `${request.id}/${paymentId}`
    const known = this.#begun.has(key) ? undefined : this.#known(asked)
    if (known) return known
    const begun = this.#begun.get(key) ?? this.#begin(key, asked)
    require(isSame(begun.asked, asked), 'IdempotencyMismatch', paymentId)
    return this.#parts.patiently(begun.open, () => this.#known(asked) ?? pending(asked))
  }

  /** Takes a lock towards this side. */
  fulfil({ id, lockId, preimage, wait }: Params<'channel.fulfil'>): Promise<LockView> {
    return this.#end(id, lockId, wait, () => this.#parts.node.fulfil(id, lockId, preimage))
  }

  /** Gives a lock towards this side up. */
  fail({ id, lockId, code, wait }: Params<'channel.fail'>): Promise<LockView> {
    return this.#end(id, lockId, wait, () => this.#parts.node.fail(id, lockId, code))
  }

  /** What is known of a lock of this side that was asked for before; undefined if nothing is. */
  #known(asked: Asked): LockView | undefined {
    const { node } = this.#parts
    const { id, paymentId } = asked
    const isOurs = (one: LockView) => one.direction === 'sent' && one.paymentId === paymentId && one.status === 'open'
    const open = this.list(id).find(isOurs)
    const change = node.unended(id, paymentId)
    const under = open ?? (change?.kind === 'addLock' ? change : undefined)
    if (under) require(isSame({ ...asked, ...under } as Asked, asked), 'IdempotencyMismatch', paymentId)
    if (open) return open
    const outcome = node.payment(id, paymentId)
    if (outcome === undefined) return undefined
    if (outcome === 'pending') {
      require(change?.kind === 'addLock', 'PaymentPending', paymentId)
      return pending(asked)
    }
    if (typeof outcome === 'string') return { ...pending(asked), status: 'failed', code: outcome }
    const { preimage } = outcome
    require(preimage !== undefined && hashLock(preimage) === asked.key, 'IdempotencyMismatch', paymentId)
    return { ...pending(asked), status: 'fulfilled', preimage }
  }

  #begin(key: string, asked: Asked): Begun {
    const { node, subscribe } = this.#parts
    const { id, ...options } = asked
    const open = new Promise<LockView>((done, failed) => {
      const leave = subscribe((event) => {
        if (event.name !== 'locked' || !isSent(event, asked)) return
        leave()
        done(event.lock)
      })
      node
        .lock(id, options)
        .then((preimage) => done({ ...pending(asked), status: 'fulfilled', preimage }), failed)
        .finally(leave)
    })
    const begun = { asked, open }
    this.#begun.set(key, begun)
    const forget = () => this.#begun.delete(key)
    open.then(forget, forget)
    return begun
  }

  /** Asks for the end of a lock towards this side; answers with it as it is then, or with its end if that is waited for. */
  async #end(id: Hex, lockId: bigint, wait: boolean | undefined, ask: () => Promise<void>): Promise<LockView> {
    const find = () => this.list(id).find((one) => one.direction === 'received' && one.lockId === lockId)
    const { promise: ended, resolve } = Promise.withResolvers<LockView>()
    let last = find()
    const leave = this.#parts.subscribe((event) => {
      if (event.channel !== id || (event.name !== 'fulfilled' && event.name !== 'failed')) return
      if (event.lock.direction !== 'received' || event.lock.lockId !== lockId) return
      last = event.lock
      resolve(last)
    })
    try {
      await ask()
      const now = () => find() ?? last!
      return wait ? await this.#parts.patiently(ended, now) : now()
    } finally {
      leave()
    }
  }
}

function isSent(event: NodeEvent & { readonly lock: LockView }, { id, paymentId }: Asked): boolean {
  const { channel, lock } = event
  return channel === id && lock.direction === 'sent' && lock.paymentId === paymentId
}

function isSame(one: Asked, other: Asked): boolean {
  const fields = ['amount', 'expiry', 'key', 'payload'] as const
  return fields.every((field) => one[field] === other[field])
}

/** A lock that was asked for, and of which no more is known. */
function pending({ id: _id, ...asked }: Asked): LockView {
  return { ...asked, lockId: null, direction: 'sent', status: 'pending', code: null, data: null, preimage: null }
}
