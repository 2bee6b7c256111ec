import { expect } from 'chai'
import fc from 'fast-check'
import { ETHER, type Hex } from '../../src/core/base/Bytes.ts'
import { COMMANDS } from '../../src/task/cli/Commands.ts'
import { help, overview } from '../../src/task/cli/Help.ts'
import { ETH, formatMoney, parseMoney, type Unit } from '../../src/task/cli/Money.ts'
import { commandOf, parse } from '../../src/task/cli/Parse.ts'
import { facts, table } from '../../src/task/cli/Table.ts'
import { formatDuration, formatMoment, parseDuration } from '../../src/task/cli/Time.ts'
import { Misuse, nearest } from '../../src/task/cli/Trouble.ts'
import { runs } from '../fuzz.ts'

const TOKEN: Unit = { asset: `0x${'12'.repeat(20)}` as Hex, symbol: 'USDC', decimals: 6 }

function told(run: () => unknown): string {
  try {
    run()
  } catch (why) {
    if (why instanceof Misuse) return why.message
    throw why
  }
  throw new Error('nothing was refused')
}

describe('what the command line reads and writes', () => {
  it('reads every amount that it has written, in every unit', () => {
    fc.assert(
      fc.property(fc.bigInt(0n, 2n ** 128n), fc.constantFrom(ETH, TOKEN), (amount, unit) => {
        expect(parseMoney(formatMoney(amount, unit), unit)).to.equal(amount)
        expect(parseMoney(String(amount), unit, true)).to.equal(amount)
      }),
      runs(200),
    )
  })

  it('knows the units of ether, in any case, with a space or without', () => {
    for (const [text, wei] of [
      ['0.25 ETH', 25n * 10n ** 16n],
      ['1eth', 10n ** 18n],
      ['1.5 Gwei', 1_500_000_000n],
      [' 7 wei ', 7n],
    ] as const)
      expect(parseMoney(text, ETH), text).to.equal(wei)
  })

  it('refuses amounts that could be misread, with what to write instead', () => {
    expect(told(() => parseMoney('5', ETH))).to.equal('"5" has no unit: write "5 ETH", or "5 wei" for smallest units')
    expect(told(() => parseMoney('5', TOKEN))).to.equal('"5" has no unit: write "5 USDC", or --raw for smallest units')
    expect(told(() => parseMoney('5 ETH', TOKEN))).to.contain('"ETH" is no unit of this channel, which holds USDC')
    expect(told(() => parseMoney('5 wei', TOKEN))).to.contain('"wei" is no unit of this channel')
    expect(told(() => parseMoney('1.0000001 USDC', TOKEN))).to.contain('has 7 decimals, and 6 are all there are')
    expect(told(() => parseMoney('0.5 wei', ETH))).to.contain('nothing smaller than 1')
    expect(told(() => parseMoney('5 ETH', ETH, true))).to.contain('leave one of them away')
    for (const text of ['', 'ETH', '-1 ETH', '1,5 ETH', '0x10 wei', '1e3 gwei', '1 ETH please'])
      expect(
        told(() => parseMoney(text, ETH)),
        text,
      ).to.match(/: (?:write|use) /)
  })

  it('reads durations and says them in words', () => {
    for (const [text, seconds] of [
      ['90s', 90],
      ['1 day', 86_400],
      ['1d 12h', 129_600],
      ['2 weeks', 1_209_600],
      ['30 minutes', 1800],
    ] as const)
      expect(parseDuration(text), text).to.equal(seconds)
    for (const text of ['', '5', 'day', '1.5h', '1 moon', '-1d', '1d,2h']) {
      expect(
        told(() => parseDuration(text)),
        text,
      ).to.contain('is no duration: write it as in 90s')
    }
    expect([0, 59, 3600, 90_061, 604_800].map(formatDuration)).to.deep.equal([
      '0 seconds',
      '59 seconds',
      '1 hour',
      '1 day 1 hour',
      '1 week',
    ])
    expect(formatMoment(7200, 0)).to.equal('in 2 hours (1970-01-01 02:00 UTC)')
    expect(formatMoment(0, 60)).to.equal('1 minute ago (1970-01-01 00:00 UTC)')
  })

  it('finds the word that was probably meant', () => {
    expect(nearest('chanel', ['channel', 'tower'])).to.equal('channel')
    expect(nearest('pya', ['pay', 'list'])).to.equal('pay')
    expect(nearest('passwordfile', ['password-file', 'home'])).to.equal('password-file')
    expect(nearest('quantum', ['pay', 'list'])).to.equal(undefined)
  })

  it('aligns tables, numbers to the right', () => {
    const rows = [
      ['0xab', '12.5 ETH'],
      ['0xabcd', '3 ETH'],
    ]
    expect(table(['id', 'amount'], rows).split('\n')).to.deep.equal([
      'id        amount',
      '0xab    12.5 ETH',
      '0xabcd     3 ETH',
    ])
    expect(
      facts([
        ['id', '1'],
        ['left away', undefined],
        ['asset', 'x'],
      ]),
    ).to.equal('id     1\nasset  x')
  })

  it('refuses flags and words that no command has, and says which is near', () => {
    const read = (line: string) => {
      const [command, rest] = commandOf(COMMANDS, line.split(' '))
      return parse(command, rest)
    }
    expect(told(() => read('nod start'))).to.equal('"nod" is no command of kerros: did you mean node?')
    expect(told(() => read('node strat'))).to.equal('"strat" is no command of kerros: did you mean start?')
    expect(told(() => read('node'))).to.equal('kerros node needs one more word: it takes start')
    expect(told(() => read('node start --hoem x'))).to.equal('kerros node start has no --hoem: did you mean --home?')
    expect(told(() => read('node start --quantum'))).to.contain('kerros node start --help tells')
    expect(told(() => read('node start --home'))).to.equal('--home needs a value: --home DIR')
    expect(told(() => read('node start --home --json'))).to.equal('--home needs a value: --home DIR')
    expect(told(() => read('node start --json=yes'))).to.equal('--json takes no value: leave it away')
    expect(told(() => read('node start --home a --home b'))).to.equal('--home is given twice: give it once')
    expect(told(() => read('node start now'))).to.equal('"now" is too much: kerros node start')
    expect(read('node start --home=a --json')).to.deep.equal({ args: {}, options: { home: 'a', json: true } })
  })

  it('refuses a key or password on the command line, and does not repeat it', () => {
    for (const flag of ['--key', '--private-key', '--password', '--passphrase', '--mnemonic', '--token']) {
      const [command, rest] = commandOf(COMMANDS, ['node', 'start', flag, 'geheim'])
      expect(
        told(() => parse(command, rest)),
        flag,
      )
        .to.contain('is seen by others')
        .and.not.to.contain('geheim')
    }
  })

  it('tells of every command: what it is for, its options and examples that it understands', () => {
    const all = overview(COMMANDS)
    for (const command of COMMANDS) {
      const text = help(command)
      expect(all).to.contain(`  ${command.path.join(' ')}`)
      for (const { name } of command.options) expect(text, command.path.join(' ')).to.contain(`--${name}`)
      expect(command.examples.length, command.path.join(' ')).to.be.at.least(1)
      for (const [line] of command.examples) {
        const words = [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare!)
        expect(commandOf(COMMANDS, words)[0], line).to.equal(command)
        expect(parse(command, words.slice(command.path.length)).options, line).to.be.an('object')
      }
      for (const line of text.split('\n')) expect(line.length, line).to.be.at.most(120)
    }
    expect(ETH.asset).to.equal(ETHER)
  })
})
