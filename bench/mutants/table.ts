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
  /** The text of its file that it was judged in. */
  readonly code: string
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

const HEAD = ['made', 'killed', 'timeout', 'survived', 'skipped', 'share']

/** A table with a row for each group of mutants, as they come. */
function grouped(tried: readonly Tried[], by: 'path' | 'kind', heading: string): string {
  const names = [...new Set(tried.map(({ mutant }) => mutant[by]))].sort()
  const fates = (name: string) => tried.filter(({ mutant }) => mutant[by] === name).map(({ fate }) => fate)
  const all = row(
    'together',
    tried.map(({ fate }) => fate),
  )
  return table([[heading, ...HEAD], ...names.map((name) => row(name, fates(name))), all])
}

interface Tried {
  readonly mutant: Mutant
  readonly fate: Fate
}

/** What a run came to: tables for people, what falls short (nothing if all is well), figures for a snapshot. */
export interface Report {
  readonly text: string
  readonly short: readonly string[]
  readonly figures: Readonly<Record<string, number>>
}

/** The tables by file and by operator, and the survivors with their reasons. */
export function report(mutants: readonly Mutant[], results: ReadonlyMap<string, Result>): Report {
  const known = reasons()
  const tried = mutants.flatMap((mutant): Tried[] => {
    const result = results.get(mutant.id)
    return result ? [{ mutant, fate: result.fate }] : []
  })
  const alive = tried.filter(({ fate }) => fate === 'survived').map(({ mutant }) => mutant)
  const told = alive.map(({ id, path, line }) => `  ${path}:${line}  ${id}\n      ${known[id] ?? 'NO REASON'}`)
  const tables = [grouped(tried, 'path', 'file'), grouped(tried, 'kind', 'operator')]
  const sums = tally(tried.map(({ fate }) => fate))
  const unexplained = alive.filter(({ id }) => !known[id]).length
  return {
    text: [...tables, ...(told.length > 0 ? [`survivors:\n${told.join('\n')}`] : [])].join('\n\n'),
    short: [
      ...(share(sums) < NEEDED ? [`less than ${100 * NEEDED} % were killed`] : []),
      ...(unexplained > 0 ? [`${unexplained} survivors have no reason in ${REASONS}`] : []),
    ],
    figures: figures(mutants.length, sums),
  }
}

function figures(drawn: number, { made, killed, timeout, survived, skipped }: Tally): Readonly<Record<string, number>> {
  return { drawn, judged: made, killed: killed + timeout, survived, skipped }
}
