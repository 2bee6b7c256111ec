/** What stops a command: a code for programs, and one sentence for people with the cause and what to do. */
export class Trouble extends Error {
  readonly code: string
  constructor(code: string, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = 'Trouble'
    this.code = code
  }
}

/** What a person asked for cannot be meant: a wrong flag, amount or name. Its message says what to write instead. */
export class Misuse extends Trouble {
  constructor(message: string) {
    super('Usage', message)
    this.name = 'Misuse'
  }
}

/** The one of `known` that a mistyped word most likely means, or undefined if none is near. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  const most = Math.max(1, Math.floor(word.length / 3))
  const ranked = known.map((one) => ({ one, away: distance(word, one) })).filter(({ away }) => away <= most)
  return ranked.toSorted((x, y) => x.away - y.away)[0]?.one
}

/** How many letters must be put in, left out, replaced or swapped with their neighbour. */
function distance(a: string, b: string): number {
  let [before, last]: [number[], number[]] = [[], Array.from({ length: b.length + 1 }, (_, j) => j)]
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1
      row[j] = Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + cost)
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        row[j] = Math.min(row[j]!, before[j - 2]! + 1)
    }
    ;[before, last] = [last, row]
  }
  return last[b.length]!
}
