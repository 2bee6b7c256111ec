import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { uint } from '../../src/core/base/Bytes.ts'
import { permitText, readPermits } from '../../src/edge/key/PermitFolder.ts'

const PERMIT = { owner: uint(1, 20), ids: [uint(2, 32), uint(3, 32)], starter: uint(0, 20), deadline: 2 ** 39 }
const SIGNED = { ...PERMIT, signature: uint(4, 65) }

describe('Folder of permits', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'kerros-permits-'))
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  it('gives back what was written, in the order of the names, and nothing but .json', () => {
    writeFileSync(join(folder, 'b.json'), permitText(SIGNED))
    writeFileSync(join(folder, 'a.json'), permitText({ ...SIGNED, deadline: 7 }))
    writeFileSync(join(folder, 'notes.txt'), 'hello')
    expect(readPermits(folder)).to.deep.equal([{ ...SIGNED, deadline: 7 }, SIGNED])
  })

  it('names the file that is no permit, and what is wrong with it', () => {
    const said = (text: string) => {
      writeFileSync(join(folder, 'one.json'), text)
      try {
        return readPermits(folder).length
      } catch (why) {
        return (why as Error).message.replace(folder, 'FOLDER')
      }
    }
    expect(said('{')).to.match(/^FOLDER\/one\.json is not a permit in JSON \(.*\): let its owner sign it again$/)
    const wrong: readonly (readonly [change: object, where: RegExp])[] = [
      [{ owner: '0x12' }, /owner: must be 0x and 40 lowercase/],
      [{ ids: [] }, /ids: /],
      [{ deadline: -1 }, /deadline: /],
      [{ signature: `0x${'AB'.repeat(65)}` }, /signature: must be 0x and 130 lowercase/],
      [{ more: 1 }, /the file: /],
    ]
    for (const [change, where] of wrong) expect(said(JSON.stringify({ ...SIGNED, ...change }))).to.match(where)
    expect(said(permitText(SIGNED))).to.equal(1)
    expect(() => readPermits(join(folder, 'nowhere'))).to.throw('Cannot read the folder of permits')
  })
})
