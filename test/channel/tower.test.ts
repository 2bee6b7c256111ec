import { expect } from 'chai'
import fc from 'fast-check'
import { ETHER, type Hex, uint, ZERO } from '../../src/core/base/Bytes.ts'
import { domain, sign } from '../../src/core/base/Signature.ts'
import { hashLock } from '../../src/core/base/Verdicts.ts'
import type { ChannelEvent, SignedState } from '../../src/core/channel/Call.ts'
import { channelId, finalState, stateDigest } from '../../src/core/channel/Channel.ts'
import type { Place } from '../../src/core/channel/Docket.ts'
import { type Lock, locksRoot, packLocks } from '../../src/core/channel/Lock.ts'
import {
  MAX_PREIMAGES,
  nextLook,
  type Post,
  restoredWard,
  type TowerInput,
  tower,
  type Ward,
} from '../../src/core/channel/Tower.ts'
import { runs } from '../fuzz.ts'
import { person, terms } from '../world.ts'

const [alice, bob] = [person(1), person(2)]
const CHANNEL = terms(alice, bob)
const COURT = domain(31337n, `0x${'c0'.repeat(20)}`)
const ID = channelId(COURT, CHANNEL)
const POST: Post = { court: COURT, confirmations: 3, margin: 100, settles: false, minPeriod: 3600 }
const NOW: Place = { number: 10, time: 10_000 }

function lock(preimage: Hex, expiry: number, id = 1n): Lock {
  return { toB: false, id, amount: 5n, expiry, condition: ETHER, key: hashLock(preimage) }
}

function state(version: bigint, locks: readonly Lock[] = []): SignedState {
  const list = packLocks(locks)
  const digest = stateDigest(COURT, { channelId: ID, version, net: version, locksRoot: locksRoot(list), batch: ZERO })
  const [sigA, sigB] = [sign(digest, alice.key), sign(digest, bob.key)]
  return { version, net: version, batch: ZERO, locks: list, sigA, sigB }
}

function show(version: bigint, locks: readonly Lock[] = []): TowerInput {
  return { kind: 'show', account: '', channel: CHANNEL, state: state(version, locks) }
}

function final(): TowerInput {
  const digest = stateDigest(COURT, finalState(ID, 7n))
  const sigs = { sigA: sign(digest, alice.key), sigB: sign(digest, bob.key) }
  return { kind: 'final', account: '', channel: CHANNEL, final: { net: 7n, ...sigs } }
}

function challenged(version: bigint, deadline: number, of: readonly Lock[] = []): ChannelEvent {
  const locks = packLocks(of)
  return { name: 'Challenged', id: ID, version, net: 0n, locksRoot: locksRoot(locks), deadline, byB: true, locks }
}

function block(...events: readonly ChannelEvent[]): TowerInput {
  return { kind: 'block', events }
}

/** The ward after inputs, each with the block that is newest then. */
function fed(inputs: readonly TowerInput[], post = POST, now = NOW): Ward | undefined {
  return inputs.reduce<Ward | undefined>((ward, input) => tower(post, now, ward, input).state, undefined)
}

function outputs(ward: Ward | undefined, input: TowerInput, post = POST, now = NOW): readonly string[] {
  return tower(post, now, ward, input).outputs.map((one) => (one.kind === 'call' ? one.call.verb : one.kind))
}

describe('Tower', () => {
  it('holds the newest of what it was shown, whatever the order and however often', () => {
    const version = fc.bigInt(1n, 9n)
    fc.assert(
      fc.property(fc.array(version, { minLength: 1, maxLength: 8 }), (versions) => {
        const ward = fed([...versions, ...versions].map((one) => show(one)))
        const newest = versions.reduce((most, one) => (one > most ? one : most))
        expect(ward?.state).to.deep.equal(state(newest))
      }),
      runs(20),
    )
  })

  it('stores nothing and does nothing for what is not newer', () => {
    const ward = fed([show(5n)])
    const step = tower(POST, NOW, ward, show(5n))
    expect(step).to.deep.equal({ state: ward, rows: [], outputs: [] })
    expect(tower(POST, NOW, ward, show(4n)).rows).to.deep.equal([])
  })

  it('takes a list only with the root that both have signed, and answers with it', () => {
    const locks = [lock(uint(1, 32), 20_000)]
    const good = state(3n, locks)
    const ward = fed([show(3n, locks)])
    const { outputs: said } = tower(POST, NOW, ward, block(challenged(1n, 12_000)))
    expect(said).to.deep.equal([{ kind: 'call', call: { verb: 'answer', channel: CHANNEL, state: good } }])
    for (const list of ['0x', packLocks([lock(uint(2, 32), 20_000)]), `${good.locks}00`] as Hex[]) {
      const wrong = { kind: 'show', account: '', channel: CHANNEL, state: { ...good, locks: list } } as const
      expect(() => fed([wrong])).to.throw('NotSignedByBoth')
    }
  })

  it('refuses terms that leave it no time, and preimages of a channel that nobody has shown', () => {
    expect(() => fed([show(1n)], { ...POST, minPeriod: 3601 })).to.throw('PeriodTooShort')
    expect(() => fed([{ kind: 'preimages', account: '', preimages: [ZERO] }])).to.throw('UnknownChannel')
    const onlyTold = fed([block(challenged(1n, 12_000))])
    expect(() => tower(POST, NOW, onlyTold, { kind: 'preimages', account: '', preimages: [ZERO] })).to.throw(
      'UnknownChannel',
    )
  })

  it('reveals a released preimage while a clock runs, and before the expiry in any case; else it keeps it', () => {
    const secret = uint(1, 32)
    const locks = [lock(secret, 20_000)]
    const ward = fed([show(3n, locks), { kind: 'preimages', account: '', preimages: [secret] }])
    expect(outputs(ward, block())).to.deep.equal([])
    expect(nextLook(POST, NOW, ward!)).to.equal(19_900)
    expect(outputs(ward, block(), POST, { number: 11, time: 19_900 })).to.deep.equal(['reveal'])
    expect(outputs(ward, block(), POST, { number: 11, time: 20_000 }), 'too late').to.deep.equal([])
    expect(outputs(ward, block(challenged(3n, 12_000, locks)))).to.deep.equal(['reveal'])
    const revealed = block({ name: 'Revealed', preimage: secret })
    const done = tower(POST, NOW, ward, revealed).state
    expect(outputs(done, block(challenged(3n, 12_000, locks)))).to.deep.equal([])
  })

  it('does not reveal again what was mined without an event, until a reorg takes that back', () => {
    const secret = uint(1, 32)
    const locks = [lock(secret, 20_000)]
    const ward = fed([
      show(3n, locks),
      { kind: 'preimages', account: '', preimages: [secret] },
      block(challenged(3n, 12_000, locks)),
    ])
    const next = { number: 11, time: 10_012 }
    const mined = tower(POST, next, ward, { kind: 'revealed', preimages: [secret] }).state
    expect(outputs(mined, block(), POST, next)).to.deep.equal([])
    expect(outputs(mined, { kind: 'retract', number: 11 })).to.deep.equal(['reveal'])
  })

  it('concludes the final state when somebody challenges, whatever was challenged', () => {
    const ward = fed([show(3n), final()])
    expect(outputs(ward, block())).to.deep.equal([])
    expect(outputs(ward, block(challenged(3n, 12_000)))).to.deep.equal(['conclude'])
    expect(outputs(ward, block(challenged(1n, 12_000)))).to.deep.equal(['conclude'])
  })

  it('settles after the deadline only where its keeper says so', () => {
    const ward = fed([show(3n), block(challenged(3n, 10_500))])
    const late = { number: 11, time: 10_501 }
    expect(outputs(ward, block(), POST, late)).to.deep.equal([])
    expect(outputs(ward, block(), { ...POST, settles: true }, late)).to.deep.equal(['settle'])
    expect(nextLook({ ...POST, settles: true }, NOW, ward!)).to.equal(10_501)
  })

  it('keeps as many preimages as a list can need twice, and of the needed ones every one', () => {
    const needed = uint(999_999, 32)
    const locks = [lock(needed, 20_000)]
    const ward = fed([show(3n, locks), { kind: 'preimages', account: '', preimages: [needed] }])!
    const flood = Array.from({ length: 3 * MAX_PREIMAGES }, (_, i) => uint(i + 1, 32))
    const after = tower(POST, NOW, ward, { kind: 'preimages', account: '', preimages: flood }).state!
    expect(after.preimages).to.have.length(MAX_PREIMAGES)
    expect(after.preimages).to.include(needed)
    expect(outputs(after, block(challenged(3n, 12_000, locks)))).to.deep.equal(['reveal'])
  })

  it('takes back what a reorg takes back, and comes out of its store as it was folded', () => {
    const ward = fed([show(3n)])
    const clocked = tower(POST, NOW, ward, block(challenged(1n, 12_000))).state!
    expect(outputs(clocked, { kind: 'retract', number: NOW.number })).to.deep.equal([])
    const { rows } = tower(POST, NOW, clocked, { kind: 'fold', through: NOW.number })
    expect(rows.map(({ table }) => table)).to.deep.equal(['docket'])
    const shown = tower(POST, NOW, undefined, show(3n)).rows[0]!.value
    expect(outputs(restoredWard(ID, shown, rows[0]!.value), block())).to.deep.equal(['answer'])
  })

  it('lets a channel go when its end is final and no lock is left that it could decide', () => {
    const secret = uint(1, 32)
    const locks = [lock(secret, 20_000)]
    const list = packLocks(locks)
    const ward = fed([show(3n, locks), block(challenged(3n, 10_500, locks))])
    const settled = { name: 'Settled', id: ID, payA: 1n, payB: 1n, locksRoot: locksRoot(list) } as const
    const open = tower(POST, { number: 11, time: 10_600 }, ward, block(settled)).state!
    expect(tower(POST, { number: 13, time: 10_700 }, open, block()).state).to.not.equal(undefined)
    expect(
      outputs(open, { kind: 'preimages', account: '', preimages: [secret] }, POST, { number: 13, time: 10_700 }),
    ).to.deep.equal(['reveal'])
    expect(outputs(open, block(), POST, { number: 13, time: 20_001 })).to.deep.equal(['released'])
  })

  it('asks of the court only what two signatures or a client gave it: whoever owns it can withhold that, and no more', () => {
    const secret = uint(1, 32)
    const inputs = fc.constantFrom<TowerInput>(
      show(1n),
      show(4n, [lock(secret, 10_300)]),
      show(6n),
      final(),
      block(challenged(0n, 10_200)),
      block(challenged(4n, 10_200)),
      block({ name: 'Answered', id: ID, version: 5n, net: 0n, locksRoot: ZERO, locks: '0x' }),
      { kind: 'retract', number: NOW.number },
    )
    fc.assert(
      fc.property(fc.array(inputs, { maxLength: 10 }), fc.boolean(), (list, settles) => {
        let ward: Ward | undefined
        for (const [index, input] of list.entries()) {
          const step = tower(
            { ...POST, settles },
            { number: NOW.number + index, time: NOW.time + 50 * index },
            ward,
            input,
          )
          ward = step.state
          for (const output of step.outputs) {
            const verb = output.kind === 'call' ? output.call.verb : output.kind
            // None of these takes a key: the court takes each of them from anybody, and pays nobody but the owners.
            expect(['answer', 'conclude', 'settle', 'reveal', 'released']).to.include(verb)
            if (output.kind === 'reveal') expect(ward!.preimages).to.include.members([...output.preimages])
            if (output.kind === 'call' && output.call.verb === 'answer') {
              expect(output.call.state).to.deep.equal(ward!.state)
              expect(ward!.state!.version > ward!.docket.version).to.equal(true)
            }
          }
        }
      }),
      runs(100),
    )
  })
})
