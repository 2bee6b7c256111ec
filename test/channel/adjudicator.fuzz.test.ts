import { expect } from 'chai'
import fc from 'fast-check'
import { newCourt } from '../../src/core/channel/Record.ts'
import { depth, runs } from '../fuzz.ts'
import { act, newGame, perform } from './game.ts'
import { agreeOnMoney, expectSolvent, stage } from './stage.ts'

const CALLS = 100
const VERBS =
  'deposit depositWithPermit depositWithAuthorization openBoth deposits withdraw conclude challenge challengeFor answer settle claimCredit reveal judge sweep batch'
const CODES =
  'ChannelClosed StaleVersion WrongSigner NotParty ChallengeRunning TooLate NoChallenge WrongLocks NothingDecided ' +
  'WrongWithdrawal WrongValue ZeroAmount ChannelAsset AlreadyJudged NotFinal NoCondition NotOwner NoCredit PaymentRefused ' +
  'SignatureLength ERC20InsufficientAllowance WrongAuthorizer NotYetValid Expired AuthorizationUsedBefore ' +
  'SignatureExpired InvalidNonce InvalidSigner InvalidSignatureLength'

describe('Adjudicator against its model', () => {
  it('invariant 1: agrees on every refusal, event, record and balance in random histories of all verbs, and owes what it holds', async function () {
    this.timeout(900_000 * Math.max(1, depth))
    const on = await stage()
    await agreeOnMoney(on)
    const start = { model: newCourt(on.domain), purse: on.purse, time: on.time, balances: new Map(on.balances) }
    const snapshot = await on.connection.networkHelpers.takeSnapshot()
    const met = new Map<string, number>()
    await fc.assert(
      fc.asyncProperty(fc.array(act, { minLength: CALLS, maxLength: CALLS, size: 'max' }), async (acts) => {
        await snapshot.restore()
        Object.assign(on, { ...start, balances: new Map(start.balances), refusing: false, verdict: undefined })
        on.underLocks.clear()
        const game = newGame(on)
        for (const next of acts) {
          const what = `${next.verb}: ${await perform(game, next)}`
          met.set(what, (met.get(what) ?? 0) + 1)
        }
        await agreeOnMoney(on)
        await expectSolvent(on)
      }),
      { ...runs(256), endOnFailure: true },
    )
    const done = VERBS.split(' ').map((verb) => `${verb} ${met.get(`${verb}: done`) ?? 0}`)
    const games = [...met.values()].reduce((sum, count) => sum + count, 0) / CALLS
    console.log(`      ${games} games of ${CALLS} acts; went through: ${done.join(', ')}`)
    if (depth < 1) return // too few games to have met everything
    for (const verb of VERBS.split(' ')) expect(met.get(`${verb}: done`) ?? 0, `${verb} done`).to.be.greaterThan(0)
    for (const code of CODES.split(' '))
      expect(
        [...met.keys()].some((what) => what.endsWith(` ${code}`)),
        code,
      ).to.equal(true)
  })
})
