import { expect } from 'chai'
import { uint } from '../../src/core/base/Bytes.ts'
import { domain } from '../../src/core/base/Signature.ts'
import type { RescueFile } from '../../src/core/channel/Rescue.ts'
import { Fault } from '../../src/edge/Fault.ts'
import { readRescue, writeRescue } from '../../src/edge/RescueFile.ts'
import { CHANNEL, lockOf, signed, signedFinal } from '../role/towerStage.ts'

const COURT = domain(31337n, `0x${'c0'.repeat(20)}`)
const SECRET = uint(7, 32)
const FILE: RescueFile = {
  chainId: COURT.chainId,
  court: COURT.court,
  channel: CHANNEL,
  side: 'a',
  since: 12,
  state: signed(COURT, 5n, -(2n ** 100n), CHANNEL, [lockOf(SECRET, 1_900_000_000)]),
  final: signedFinal(COURT, 3n),
  preimages: [SECRET],
  verdicts: [{ key: `0x${'00'.repeat(52)}`, time: 9, amount: 2n ** 128n - 1n }],
}

function refusal(text: string): string {
  try {
    readRescue(text)
  } catch (why) {
    if (why instanceof Fault && why.code === 'Malformed') return why.message
    throw why
  }
  return 'none'
}

/** The file's text with one thing changed in it. */
function changed(change: (content: Record<string, object>) => void): string {
  const content = JSON.parse(writeRescue(FILE))
  change(content)
  return JSON.stringify(content)
}

describe('RescueFile', () => {
  it('comes back as it was written, its numbers to the last digit', () => {
    expect(readRescue(writeRescue(FILE))).to.deep.equal(FILE)
    const bare = { ...FILE, state: null, final: null, preimages: [], verdicts: [] }
    expect(readRescue(writeRescue(bare))).to.deep.equal(bare)
  })

  const wrong: readonly (readonly [string, string, RegExp])[] = [
    ['no JSON', '{', /it is no JSON/],
    ['something else', '{"format":"keystore"}', /does not say "format": "kerros-rescue"/],
    ['nothing', 'null', /does not say "format"/],
    ['a later version', changed((it) => Object.assign(it, { version: 2 })), /update kerros/],
    ['a field too many', changed((it) => Object.assign(it, { key: '0x' })), /key/],
    ['a field too few', changed((it) => Reflect.deleteProperty(it, 'since')), /since/],
    ['a number for an amount', changed((it) => Object.assign(it.state!, { net: 5 })), /state\.net/],
    [
      'another net than was signed',
      changed((it) => Object.assign(it.state!, { net: '6' })),
      /state is not signed by both/,
    ],
    [
      'another list than was signed',
      changed((it) => Object.assign(it.state!, { locks: '0x' })),
      /state is not signed by both/,
    ],
    [
      'a final state of others',
      changed((it) => Object.assign(it.final!, { net: '4' })),
      /final state is not signed by both/,
    ],
    ['another court', changed((it) => Object.assign(it, { chainId: '1' })), /not signed by both/],
  ]
  for (const [what, text, words] of wrong) {
    it(`refuses ${what}, in one sentence that says what to do`, () => {
      expect(refusal(text))
        .to.match(words)
        .and.to.match(/take the file as it was exported$/)
    })
  }
})
