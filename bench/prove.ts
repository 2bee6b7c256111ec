// Proves what the channel court's arithmetic promises; offline, in about a minute.
import { parseArgs } from 'node:util'
import { type Claim, holds } from './prove/claim.ts'
import { exhausted } from './prove/exhaustion.ts'
import { solved } from './prove/solver.ts'

const HELP = `npm run prove

Decides the claims of bench/prove/*.sol about the arithmetic of payouts, clocks, bonds and slot 0: by the solver within
solc over all inputs, or, where bits are packed, by trying every value of a side at the same functions made a
sixteenth as wide. Claims that are planted wrong must be found wrong. Exit 1 if a claim is not proven.

  --help     this text`

function print(of: string, claims: readonly Claim[]): void {
  for (const claim of claims) {
    const { name, missing, planted, over } = claim
    const fine = over.startsWith('by trying') ? 'held' : 'proven'
    const verdict = planted ? (missing ? 'refuted' : 'NOT REFUTED') : missing ? 'NOT PROVEN' : fine
    console.log(`${verdict.padEnd(12)}${of}: ${name} (${missing && !planted ? missing : over})`)
  }
}

const { values } = parseArgs({ options: { help: { type: 'boolean' } } })
if (values.help) console.log(HELP)
else {
  const claims: Claim[] = []
  for (const [of, decide] of [
    ['payouts', () => solved('Payouts')],
    ['bounds', () => solved('Bounds')],
    ['slot 0', exhausted],
  ] as const) {
    const decided = await decide()
    print(of, decided)
    claims.push(...decided)
  }
  const failed = claims.filter((claim) => !holds(claim)).length
  console.log(failed === 0 ? `all ${claims.length} claims are as they should be` : `${failed} claims are not proven`)
  process.exitCode = failed === 0 ? 0 : 1
}
