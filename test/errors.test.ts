import { expect } from 'chai'
import { planted, projectFiles } from './house/files.ts'
import { type Tried, unprovoked } from './house/provoked.ts'

const COURTS: readonly Tried[] = [
  { court: 'Adjudicator', folders: ['test/base', 'test/channel'], unreachable: [] },
  { court: 'RootChain', folders: ['test/base', 'test/plasma'], unreachable: [] },
]

describe('errors', () => {
  const files = projectFiles()
  for (const tried of COURTS) {
    it(`every custom error of ${tried.court} has a test that provokes it`, () => {
      expect(unprovoked(files, tried)).to.deep.equal([])
    })
  }

  const bare = new Map([...files].filter(([path]) => !path.startsWith('test/')))
  const tried: Tried = { court: 'Adjudicator', folders: ['test/channel'], unreachable: [] }
  const count = (text: string): number => unprovoked(planted(bare, { 'test/channel/a.test.ts': text }), tried).length
  const asserter = 'function expectRefused(outcome: string, name: string) { expect(outcome).to.equal(name) }\n'

  it('counts an asserted error, with the matcher or with an assertion of our own', () => {
    const none = count('')
    expect(count("it('x', async () => { await expect(f()).to.be.revertedWithCustomError(c, 'NotParty') })")).to.equal(
      none - 1,
    )
    expect(count(`${asserter}it('x', () => { expectRefused(f(), 'NotParty') })`)).to.equal(none - 1)
    expect(count("it('x', () => { expect(f()).to.deep.equal(['NotParty', 1]) })")).to.equal(none - 1)
    const wrapper = `${asserter}const wrong = (name: string) => expectRefused(f(), name)`
    expect(count(`${wrapper}\nit('x', () => { wrong('NotParty') })`)).to.equal(none - 1)
  })

  it('counts a selector that is expected of something, and only then', () => {
    const none = count('')
    const selector = "const s = c.interface.getError('NotParty').selector"
    expect(count(`it('x', () => { ${selector}; expect(f()).to.equal(s) })`)).to.equal(none - 1)
    expect(count(`it('x', () => { ${selector}; expect(s).to.equal(1) })`)).to.equal(none)
  })

  it('does not count a mention: in a comment, a title, a list, outside a test, in a function that asserts nothing', () => {
    const none = count('')
    for (const text of [
      "it('x', () => { /* expectRefused(f(), 'NotParty') */ })",
      "it('NotParty', () => undefined)",
      "it('x', () => { const names = ['NotParty']; return names })",
      `${asserter}expectRefused(f(), 'NotParty')`,
      "function refused(name: string) { return name }\nit('x', () => { refused('NotParty') })",
    ]) {
      expect(count(text), text).to.equal(none)
    }
  })
})
