import { type ChildProcess, spawn } from 'node:child_process'
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { DatabaseSync } from 'node:sqlite'
import { expect } from 'chai'
import fc from 'fast-check'
import type { Row } from '../../src/core/base/Step.ts'
import { memoryStore } from '../../src/edge/store/Memory.ts'
import { openStore, VERSION } from '../../src/edge/store/Sqlite.ts'
import { runs, seed } from '../fuzz.ts'
import { dice } from '../world.ts'
import { faultOf, plain, text } from './plain.ts'

const IDENTITY = 'channel-node 0x00000000000000000000000000000000000000aa chain 31337'
const CHILD = new URL('./store.child.ts', import.meta.url).pathname

let folder: string
let files = 0
const file = () => join(folder, `${files++}.db`)

before(() => {
  folder = mkdtempSync(join(tmpdir(), 'kerros-store-'))
})
after(() => rmSync(folder, { recursive: true }))

const key = text.filter((t) => t.isWellFormed())
const row: fc.Arbitrary<Row> = fc.record({
  table: fc.constantFrom('channel', 'history', ''),
  key: fc.oneof(key, fc.constantFrom('a', 'b', '\u{ffff}', '\u{10000}', 'a\0b')),
  value: fc.option(plain, { nil: undefined }),
})

for (const [name, open] of [
  ['memory', memoryStore],
  ['SQLite', () => openStore(file(), IDENTITY)],
] as const) {
  describe(`edge/store in ${name}`, () => {
    it('holds what was committed last, in the order of keys, for any batches', () => {
      fc.assert(
        fc.property(fc.array(fc.array(row, { maxLength: 8 }), { maxLength: 5 }), (batches) => {
          const store = open()
          const model = new Map<string, Row>()
          for (const batch of batches) {
            store.commit(batch)
            for (const one of batch) model.set(JSON.stringify([one.table, one.key]), one)
          }
          const rows = [...model.values()].filter(({ value }) => value !== undefined)
          for (const { table, key, value } of model.values()) expect(store.get(table, key)).to.deep.equal(value)
          for (const table of ['channel', 'history', '', 'absent']) {
            const mine = rows.filter((one) => one.table === table).map((one) => [one.key, one.value] as const)
            mine.sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
            expect(store.all(table)).to.deep.equal(mine)
          }
          store.close()
        }),
        runs(100),
      )
    })

    it('gives a long table in parts', () => {
      const store = open()
      store.commit([...'edcba'].map((k) => ({ table: 't', key: k, value: k })))
      const keys = (range: { after?: string; limit?: number }) => store.all('t', range).map(([k]) => k)
      expect(keys({ limit: 2 })).to.deep.equal(['a', 'b'])
      expect(keys({ after: 'b', limit: 2 })).to.deep.equal(['c', 'd'])
      expect(keys({ after: 'd', limit: 2 })).to.deep.equal(['e'])
      expect(keys({ after: 'e' })).to.deep.equal([])
      store.close()
    })

    it('keeps nothing of a batch that it cannot keep whole, and goes on', () => {
      const store = open()
      const bad = { table: 't', key: 'b', value: { f: Number.NaN } }
      expect(faultOf(() => store.commit([{ table: 't', key: 'a', value: 1n }, bad])).code).to.equal('Malformed')
      expect(faultOf(() => store.commit([{ table: 't', key: '\ud800', value: 1n }])).code).to.equal('Malformed')
      expect(store.all('t')).to.deep.equal([])
      store.commit([{ table: 't', key: 'a', value: 2n }])
      expect(store.get('t', 'a')).to.equal(2n)
      store.close()
    })

    it('does not let a caller change what it keeps', () => {
      const store = open()
      const value = { list: [1n] }
      store.commit([{ table: 't', key: 'a', value }])
      value.list.push(2n)
      ;(store.get('t', 'a') as { list: bigint[] }).list.push(3n)
      expect(store.get('t', 'a')).to.deep.equal({ list: [1n] })
      store.close()
    })

    it('says so when it is used after it was closed', () => {
      const store = open()
      store.close()
      store.close()
      expect(faultOf(() => store.commit([{ table: 't', key: 'a', value: 1n }])).code).to.equal('StoreClosed')
      expect(faultOf(() => store.get('t', 'a')).code).to.equal('StoreClosed')
      expect(faultOf(() => store.all('t')).code).to.equal('StoreClosed')
    })
  })
}

/** Expects that opening is refused with this code and one sentence, and that no byte of the folder's file changes. */
function refuses(path: string, code: string, words: RegExp, identity = IDENTITY): void {
  const bytes = readFileSync(path)
  const fault = faultOf(() => openStore(path, identity))
  expect(fault.code).to.equal(code)
  expect(fault.message).to.match(words).and.not.match(/\n/)
  expect(readFileSync(path).equals(bytes)).to.equal(true)
}

describe('edge/store files', () => {
  function filled(): string {
    const path = file()
    const store = openStore(path, IDENTITY)
    for (let i = 0; i < 50; i++) store.commit([{ table: 't', key: String(i), value: 'x'.repeat(1000) }])
    store.close()
    return path
  }

  it('are there again after closing, with one file and no other left behind', () => {
    const path = filled()
    const store = openStore(path, IDENTITY)
    expect(store.all('t')).to.have.length(50)
    store.close()
    expect(readdirSync(folder).filter((name) => join(folder, name).startsWith(path))).to.have.length(1)
  })

  it('are made with the folders on the way', () => {
    const path = join(folder, 'a', 'b', 'c.db')
    openStore(path, IDENTITY).close()
    expect(existsSync(path)).to.equal(true)
  })

  it('of somebody else are refused', () => {
    refuses(filled(), 'StoreForeign', /aa chain 31337, not that of operator 0xbb; name another file/, 'operator 0xbb')
  })

  it('of another program are refused', () => {
    const path = file()
    const db = new DatabaseSync(path)
    db.exec('CREATE TABLE notes (text)')
    db.close()
    refuses(path, 'StoreForeign', /another program/)
  })

  it('of an older kerros are brought forward, with what they hold', () => {
    const path = filled()
    const db = new DatabaseSync(path)
    db.exec('PRAGMA user_version = 1')
    db.close()
    const store = openStore(path, IDENTITY)
    expect(store.all('t').length).to.be.at.least(1)
    store.close()
    const after = new DatabaseSync(path)
    expect(after.prepare('PRAGMA user_version').get()!.user_version).to.equal(VERSION)
    after.close()
  })

  it('of a newer kerros are refused', () => {
    const path = filled()
    const db = new DatabaseSync(path)
    db.exec(`PRAGMA user_version = ${VERSION + 1}`)
    db.close()
    refuses(path, 'StoreNewer', new RegExp(`version ${VERSION + 1} .* up to ${VERSION}; update kerros`))
  })

  it('that are empty, garbage, cut short or damaged in the middle are refused', () => {
    const good = readFileSync(filled())
    const damaged = Buffer.from(good)
    damaged.fill(0xa5, 4096, 12288)
    const variants = {
      empty: Buffer.alloc(0),
      garbage: Buffer.alloc(9000, 7),
      short: good.subarray(0, 50),
      cut: good.subarray(0, good.length - 4096),
      damaged,
    }
    for (const bytes of Object.values(variants)) {
      const path = file()
      writeFileSync(path, bytes)
      refuses(path, 'StoreCorrupt', /is damaged \(.*\); put a copy of the whole file back/)
    }
  })

  it('that hold a row that is not plain data are refused where it is read', () => {
    const path = filled()
    const db = new DatabaseSync(path)
    db.exec(`UPDATE rows SET value = '{"a"' WHERE key = '7'`)
    db.close()
    const store = openStore(path, IDENTITY)
    expect(faultOf(() => store.get('t', '7')).code).to.equal('StoreCorrupt')
    store.close()
  })

  it('that cannot be made say why', () => {
    const path = join(filled(), 'inside-a-file.db')
    expect(faultOf(() => openStore(path, IDENTITY)).code).to.equal('StoreFailed')
  })

  for (const [what, ofFile, ofFolder] of [
    ['that are read-only', 0o444, 0o777],
    ['in a read-only folder', 0o666, 0o555],
    ['that are read-only in a read-only folder', 0o444, 0o555],
  ] as const) {
    it(`${what} are refused, and opened when they are not`, () => {
      const path = filled()
      try {
        chmodSync(path, ofFile)
        chmodSync(folder, ofFolder)
        asNobodySpecial(() => refuses(path, 'StoreFailed', /could not be read or written .*; see to the disk and its/))
      } finally {
        chmodSync(folder, 0o700)
        chmodSync(path, 0o600)
      }
      openStore(path, IDENTITY).close()
    })
  }

  it('in use are refused to a second opener of the same process', () => {
    const path = file()
    const store = openStore(path, IDENTITY)
    expect(faultOf(() => openStore(path, IDENTITY)).code).to.equal('StoreBusy')
    store.commit([{ table: 't', key: 'a', value: 1n }])
    store.close()
  })
})

/** Runs something without the right of the superuser to write where nobody may. */
function asNobodySpecial(run: () => void): void {
  const isRoot = process.geteuid?.() === 0
  if (isRoot) process.seteuid!(65534)
  try {
    run()
  } finally {
    if (isRoot) process.seteuid!(0)
  }
}

/** A process that opens the store at `path`, then commits one row after another and prints each that is acknowledged. */
function committer(path: string): { child: ChildProcess; lines: AsyncIterator<string> } {
  const child = spawn(process.execPath, [CHILD, path, IDENTITY], { stdio: ['ignore', 'pipe', 'inherit'] })
  return { child, lines: createInterface({ input: child.stdout! })[Symbol.asyncIterator]() }
}

describe('edge/store and a killed process', () => {
  for (const enough of [10, 400]) {
    it(`keeps everything acknowledged when killed after ${enough} commits`, async () => {
      const path = file()
      const { child, lines } = committer(path)
      let acknowledged = -1
      for (;;) {
        const { value, done } = await lines.next()
        if (done) break
        acknowledged = Number(value)
        if (acknowledged === 0) expect(faultOf(() => openStore(path, IDENTITY)).code).to.equal('StoreBusy')
        if (acknowledged === enough) child.kill('SIGKILL')
      }
      const store = openStore(path, IDENTITY)
      const keys = store.all('pairs').map(([k]) => Number(k))
      expect(acknowledged).to.be.at.least(enough)
      expect(keys.length).to.be.at.least(acknowledged + 1)
      expect(keys).to.deep.equal(keys.map((_, i) => i))
      // Both rows of a commit, or neither.
      expect(store.all('twins')).to.deep.equal(store.all('pairs'))
      store.close()
    })
  }

  it('has the first of its commits, each whole, wherever the last write was torn', async () => {
    const path = file()
    const { child, lines } = committer(path)
    while (Number((await lines.next()).value) < 20);
    child.kill('SIGKILL')
    while (!(await lines.next()).done);
    const [rows, log] = [path, `${path}-wal`].map((name) => readFileSync(name))
    const from = dice(seed)
    let before = Number.POSITIVE_INFINITY
    for (let length = log!.length; length > 0; length -= 1 + from.roll(4000)) {
      const torn = file()
      writeFileSync(torn, rows!)
      // A disk may have written what comes after the tear, or something else.
      const rest = from.chance(2) ? Buffer.alloc(from.roll(5000), from.roll(256)) : Buffer.alloc(0)
      writeFileSync(`${torn}-wal`, Buffer.concat([log!.subarray(0, length), rest]))
      const store = openStore(torn, IDENTITY)
      const keys = store.all('pairs').map(([k]) => Number(k))
      expect(keys).to.deep.equal(keys.map((_, i) => i))
      expect(store.all('twins')).to.deep.equal(store.all('pairs'))
      expect(keys.length).to.be.at.most(before)
      before = keys.length
      store.commit([{ table: 'pairs', key: 'z', value: 1n }])
      store.close()
    }
    expect(before).to.equal(0)
  })
})
