// The text format in which Prometheus reads what a process counts (version 0.0.4).

type Labels = Readonly<Record<string, string>>

/** One number of a family; `suffix` is a histogram's. */
export interface Sample {
  readonly value: number | bigint
  readonly labels?: Labels
  readonly suffix?: '_bucket' | '_sum' | '_count'
}

/** What is counted under one name, in base units (seconds, bytes, smallest units of an asset). */
export interface Family {
  readonly name: string
  readonly help: string
  readonly type: 'counter' | 'gauge' | 'histogram'
  readonly samples: readonly Sample[]
}

/** The text of what was counted. */
export function prometheus(families: readonly Family[]): string {
  return families.map(textOf).join('')
}

function textOf({ name, help, type, samples }: Family): string {
  const lines = samples.map(({ value, labels = {}, suffix = '' }) => `${name}${suffix}${labelled(labels)} ${value}\n`)
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join('')}`
}

function labelled(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`)
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`
}

function escaped(value: string): string {
  return value.replace(/[\\"]/g, '\\$&').replace(/\n/g, '\\n')
}

/** Counts how often something was at most so large, for each of some rising bounds. */
export class Histogram {
  readonly #bounds: readonly number[]
  readonly #counts: number[]
  #sum = 0
  #count = 0

  constructor(bounds: readonly number[]) {
    this.#bounds = bounds
    this.#counts = bounds.map(() => 0)
  }

  observe(value: number): void {
    this.#sum += value
    this.#count++
    for (const [i, bound] of this.#bounds.entries()) if (value <= bound) this.#counts[i]!++
  }

  /** Its numbers, as a family has them. */
  samples(): readonly Sample[] {
    const buckets = this.#bounds.map((bound, i) => bucket(String(bound), this.#counts[i]!))
    return [
      ...buckets,
      bucket('+Inf', this.#count),
      { suffix: '_sum', value: this.#sum },
      { suffix: '_count', value: this.#count },
    ]
  }
}

function bucket(le: string, value: number): Sample {
  return { suffix: '_bucket', labels: { le }, value }
}
