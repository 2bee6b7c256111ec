import { depth, seed } from '../fuzz.ts'
import { playSeed } from './History.ts'

const COUNT = Math.ceil(300 * depth)
const only = process.env.KERROS_WORLD

describe('Channel nodes in a world where everything goes wrong', () => {
  it(`never lose money, and end every payment once: ${only ?? COUNT} seeds`, async () => {
    const seeds = only === undefined ? Array.from({ length: COUNT }, (_, i) => (seed + i) >>> 0) : [Number(only)]
    for (const one of seeds) await playSeed(one)
  })
})
