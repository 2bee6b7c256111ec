import { buildModule } from '@nomicfoundation/hardhat-ignition/modules'
import adjudicatorModule from './Adjudicator.ts'

const HOUR = 3_600
const GWEI = 10n ** 9n

/** The court of the Plasma chains; the Adjudicator keeps its verdicts, so that one preimage settles a hash in both. */
export default buildModule('RootChain', (m) => {
  const { adjudicator } = m.useModule(adjudicatorModule)
  const terms = [
    m.getParameter('mfp', 7 * 24 * HOUR), // seconds until an exit may be paid
    m.getParameter('margin', HOUR), // seconds that a block's view of layer 1 may lag behind its commitment
    m.getParameter('alarm', 12 * HOUR), // seconds that a child's slot may stay unopened
    m.getParameter('bondGas', 300_000n), // gas that an exit's bond pays for: twice the dearest challenge
    m.getParameter('feeFloor', GWEI), // wei a gas, at least, in a bond
    m.getParameter('feeCeiling', 200n * GWEI), // and at most
  ]
  return { adjudicator, rootChain: m.contract('RootChain', [adjudicator, ...terms]) }
})
