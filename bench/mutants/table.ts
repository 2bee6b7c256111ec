import { existsSync, readFileSync } from 'node:fs'
import { table } from '../snapshot.ts'
import type { Mutant } from './make.ts'

/** `invalid` does not compile, `equivalent` compiles to the same code: neither counts as made. */
export type Fate = 'killed' | 'timeout' | 'survived' | 'invalid' | 'equivalent'

/** What became of a mutant; a line of the results file. `by` is the test that killed it. */
export interface Result {
  readonly id: string
  readonly fate: Fate
  readonly by?: string
  readonly seconds: number
}

const REASONS = 'bench/mutants/survivors.json'
/** The share of killed mutants that is asked for. */
export const NEEDED = 0.9

/** Why known survivors cannot or need not be killed: id -> reason. */
export function reasons(): Readonly<Record<string, string>> {
  return existsSync(REASONS) ? (JSON.parse(readFileSync(REASONS, 'utf8')) as Record<string, string>) : {}
}

interface Tally {
  readonly made: number
  readonly killed: number
  readonly timeout: number
  readonly survived: number
  readonly skipped: number
}

function tally(fates: readonly Fate[]): Tally {
  const count = (...wanted: readonly Fate[]) => fates.filter((fate) => wanted.includes(fate)).length
  const [killed, timeout, survived] = [count('killed'), count('timeout'), count('survived')]
  return { made: killed + timeout + survived, killed, timeout, survived, skipped: count('invalid', 'equivalent') }
}

function share({ made, killed, timeout }: Tally): number {
  return made === 0 ? 1 : (killed + timeout) / made
}

function row(name: string, fates: readonly Fate[]): readonly string[] {
  const sums = tally(fates)
  const { made, killed, timeout, survived, skipped } = sums
  return [name, ...[made, killed, timeout, survived, skipped].map(String), `${(100 * share(sums)).toFixed(1)} %`]
}

/** The table, the survivors with their reasons, and what falls short (nothing if all is well). */
export function report(
  mutants: readonly Mutant[],
  results: ReadonlyMap<string, Result>,
): { readonly text: string; readonly short: readonly string[] } {
  const known = reasons()
  const tried = mutants.filter(({ id }) => results.has(id))
  const fate = ({ id }: Mutant) => results.get(id)!.fate
  const files = [...new Set(tried.map(({ path }) => path))]
  const rows = files.map((file) => row(file, tried.filter(({ path }) => path === file).map(fate)))
  const head = ['file', 'made', 'killed', 'timeout', 'survived', 'skipped', 'share']
  const alive = tried.filter((mutant) => fate(mutant) === 'survived')
  const lines = alive.map(({ id, path, line }) => `  ${path}:${line}  ${id}\n      ${known[id] ?? 'NO REASON'}`)
  const all = tried.map(fate)
  const text = [table([head, ...rows, row('together', all)]), ...(lines.length > 0 ? ['', 'survivors:', ...lines] : [])]
  const unexplained = alive.filter(({ id }) => !known[id]).length
  const low = share(tally(all)) < NEEDED ? [`less than ${100 * NEEDED} % were killed`] : []
  return {
    text: text.join('\n'),
    short: unexplained > 0 ? [...low, `${unexplained} survivors have no reason in ${REASONS}`] : low,
  }
}
