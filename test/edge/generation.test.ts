import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { type Marked, markGenerations } from '../../src/edge/store/Generation.ts'
import { openStore } from '../../src/edge/store/Sqlite.ts'

describe('Generation marker', () => {
  let folder: string
  const [file, backup, marker] = ['node.db', 'backup.db', 'node.generation']
  const at = (name: string) => join(folder, name)
  const open = () => markGenerations(openStore(at(file), 'test'), at(marker))
  const commit = (marked: Marked, count: number) => {
    for (let i = 0; i < count; i++) marked.store.commit([{ table: 't', key: String(i), value: i }])
    marked.store.close()
  }

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'kerros-generation-'))
  })
  afterEach(() => {
    rmSync(folder, { recursive: true })
  })

  it('knows a store that goes on where it stopped', () => {
    const fresh = open()
    expect(fresh.isRestored).to.equal(false)
    commit(fresh, 3)
    const again = open()
    expect(again.isRestored).to.equal(false)
    expect(again.store.get('t', '2')).to.equal(2)
    again.store.close()
  })

  it('knows a backup that was put back, also one of the same run', () => {
    commit(open(), 3)
    cpSync(at(file), at(backup))
    commit(open(), 1)
    cpSync(at(backup), at(file))
    const restored = open()
    expect(restored.isRestored).to.equal(true)
    commit(restored, 1)
    const after = open()
    expect(after.isRestored).to.equal(false) // said once; whoever was told keeps it
    after.store.close()
  })

  it('takes a lost or torn marker for a restored store', () => {
    commit(open(), 1)
    rmSync(at(marker))
    const lost = open()
    expect(lost.isRestored).to.equal(true)
    lost.store.close()
    writeFileSync(at(marker), 'x')
    const torn = open()
    expect(torn.isRestored).to.equal(true)
    torn.store.close()
  })

  it('tells a write that was torn before it was acknowledged from one that the disk has lost', () => {
    const store = open().store
    store.commit([{ table: 't', key: '1', value: 1 }])
    cpSync(at(marker), at('marker.before'))
    store.commit([{ table: 't', key: '2', value: 2 }])
    cpSync(at(marker), at('marker.after'))
    const [rows, log] = ['', '-wal'].map((suffix) => readFileSync(at(`${file}${suffix}`)))
    store.close()
    for (const [kept, isLost] of [
      ['marker.before', false],
      ['marker.after', true],
    ] as const) {
      writeFileSync(at(file), rows!)
      writeFileSync(at(`${file}-wal`), log!.subarray(0, log!.length - 100))
      cpSync(at(kept), at(marker))
      const torn = open()
      expect(torn.isRestored).to.equal(isLost)
      expect(torn.store.all('t')).to.deep.equal([['1', 1]])
      torn.store.close()
    }
  })

  it('says in one sentence that a marker cannot be kept', () => {
    const store = openStore(at(file), 'test')
    expect(() => markGenerations(store, join(folder, 'absent', 'marker'))).to.throw(/^the marker .* could not be read/)
    store.close()
  })
})
