import { buildModule } from '@nomicfoundation/hardhat-ignition/modules'

/** The court of payment channels, which is also the registry of verdicts. */
export default buildModule('Adjudicator', (m) => ({ adjudicator: m.contract('Adjudicator') }))
