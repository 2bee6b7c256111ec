import { readFileSync } from 'node:fs'
import { expect } from 'chai'
import { quotes, requoted, snapshots, unquoted } from '../../bench/quotes.ts'
import { sharesOf } from '../../bench/speed/profiler.ts'

/** The parts of the documents that tell figures, and the numbers in them that nobody measures. */
const PARTS = [
  ['README.md', '## Measured', ['20,000', '3,976', '5,942']],
  // What is fixed of a verb's gas comes from the protocol's prices; the others are settings.
  [
    'ARCHITECTURE.md',
    '## What gas is spent on',
    ['21,000', '2,913', '1,000,000', '2,600', '1,000', '47,041', '49,152'],
  ],
  ['ARCHITECTURE.md', '## Where the time of a payment goes', ['60,000']],
] as const

describe('the figures of README and ARCHITECTURE', () => {
  const all = quotes(snapshots())
  const of = (file: string) => all.filter((one) => one.file === file)

  for (const file of ['README.md', 'ARCHITECTURE.md']) {
    it(`are in ${file} those of the snapshots: npm run figures writes them`, () => {
      const text = readFileSync(file, 'utf8')
      expect(requoted(text, of(file))).to.equal(text)
    })
  }

  for (const [file, title, constants] of PARTS) {
    it(`are all held in "${title}": each large number there is quoted, or a known constant`, () => {
      const text = readFileSync(file, 'utf8')
      const part = text.slice(text.indexOf(`${title}\n`)).split(/\n(?=## )/)[0]!
      expect(part).to.match(RegExp(`^${title}\n`))
      expect([...new Set(unquoted(part, of(file)))].sort()).to.deep.equal([...constants].sort())
    })
  }

  it('are put right where they differ, and missed where their passage is gone or stands twice', () => {
    const passages = [{ file: 'X', passage: /a (\S+) b (\S+)\./d, figures: () => ['1,000', '2'] }]
    expect(requoted('say a 7 b 23456. And more.', passages)).to.equal('say a 1,000 b 2. And more.')
    expect(() => requoted('say nothing', passages)).to.throw(/0 times/)
    expect(() => requoted('a 1 b 2. a 1 b 2.', passages)).to.throw(/2 times/)
    expect(unquoted('12,345 and a 7,000 b 2. and 999', passages)).to.deep.equal(['12,345'])
  })
})

describe('the shares of a profile', () => {
  it('give each sample to the innermost frame that has a group', () => {
    const frame = (functionName: string, url = '') => ({
      ...{ functionName, url, scriptId: '0', lineNumber: 0, columnNumber: 0 },
    })
    const profile = {
      nodes: [
        { id: 1, callFrame: frame('(root)'), children: [2, 3, 4] },
        { id: 2, callFrame: frame('(idle)') },
        { id: 3, callFrame: frame('step', 'file:///x/src/core/channel/Peer.ts'), children: [5, 6] },
        { id: 4, callFrame: frame('(garbage collector)') },
        { id: 5, callFrame: frame('keccakWords', 'file:///x/src/core/base/Signature.ts'), children: [7] },
        { id: 6, callFrame: frame('commit', 'file:///x/src/edge/store/Sqlite.ts'), children: [8] },
        { id: 7, callFrame: frame('update', 'wasm://wasm/1') },
        { id: 8, callFrame: frame('run') },
        { id: 9, callFrame: frame('nobody knows') },
      ],
      samples: [2, 3, 4, 5, 6, 7, 8, 9],
      timeDeltas: [1, 2, 4, 8, 16, 32, 64, 128],
      startTime: 0,
      endTime: 255,
    }
    const shares = { idle: 1, machine: 2, garbage: 4, keccak: 8 + 32, sqlite: 16 + 64, rest: 128 }
    expect(sharesOf(profile)).to.deep.equal(shares)
  })
})
