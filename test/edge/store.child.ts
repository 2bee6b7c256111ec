// A process of its own, to be killed: commits until it dies and prints the number of each commit once it returned.
import { writeSync } from 'node:fs'
import { openStore } from '../../src/edge/store/Sqlite.ts'

function commitForever(path: string, identity: string): never {
  const store = openStore(path, identity)
  for (let i = 0; ; i++) {
    const key = String(i).padStart(9, '0')
    const value = BigInt(i)
    store.commit([
      { table: 'pairs', key, value },
      { table: 'twins', key, value },
    ])
    writeSync(1, `${i}\n`)
  }
}

// Mocha loads every file of this folder; only a process that was started with this one commits.
if (import.meta.main) commitForever(process.argv[2]!, process.argv[3]!)
