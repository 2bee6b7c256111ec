// Writes the figures of the snapshots where README.md and ARCHITECTURE.md quote them.
import { readFileSync, writeFileSync } from 'node:fs'
import { quotes, requoted, snapshots } from './quotes.ts'

const all = quotes(snapshots())
for (const file of ['README.md', 'ARCHITECTURE.md']) {
  const text = readFileSync(file, 'utf8')
  const now = requoted(
    text,
    all.filter((one) => one.file === file),
  )
  if (now !== text) writeFileSync(file, now)
  console.log(`${file} ${now === text ? 'quotes the snapshots already' : 'quotes the snapshots now'}`)
}
