import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

/** Figures by key: gas, or what the key's unit in its bench is. */
export type Figures = Readonly<Record<string, number>>

/** A snapshot's text: one flat object, keys sorted, so that equal figures are equal bytes. */
export function textOf(content: Readonly<Record<string, unknown>>): string {
  const sorted = Object.keys(content).sort()
  return `${JSON.stringify(Object.fromEntries(sorted.map((key) => [key, content[key]])), null, 2)}\n`
}

/** Writes a snapshot, making its folder. */
export function save(path: string, content: Readonly<Record<string, unknown>>): void {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, textOf(content))
}

/** What differs between the committed text of a snapshot and new figures, one sentence a key; empty iff byte-identical. */
export function stale(committed: string, measured: Figures): readonly string[] {
  if (committed === textOf(measured)) return []
  const known = JSON.parse(committed) as Figures
  const keys = [...new Set([...Object.keys(known), ...Object.keys(measured)])].sort()
  const moved = keys.filter((key) => known[key] !== measured[key])
  if (moved.length === 0) return ['the same figures are written in another form']
  return moved.map((key) => `${key}: ${known[key] ?? 'nothing'} is recorded, ${measured[key] ?? 'nothing'} measured`)
}

/** The committed text, or that of an empty snapshot. */
export function committedText(path: string): string {
  return existsSync(path) ? readFileSync(path, 'utf8') : textOf({})
}

/** Rows as text, columns aligned: the first to the left, the others to the right. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)))
  const pad = (cell: string, column: number): string =>
    column === 0 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!)
  return rows.map((row) => row.map(pad).join('  ').trimEnd()).join('\n')
}

/** A number for people: thousands apart, at most two decimals. */
export function shown(value: number): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: 2 })
}

/** The rooms that have a bench of this kind: a file bench/<kind>/<room>.ts that exports `measure`. */
export function benchesOf(kind: 'gas' | 'speed'): readonly string[] {
  return ['channel', 'plasma', 'tower'].filter((room) => existsSync(`bench/${kind}/${room}.ts`))
}
