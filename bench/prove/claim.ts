/** A claim by its name in words, and why it is not proven (undefined if it is). */
export interface Claim {
  readonly name: string
  /** Made to be wrong: it must not be proven. */
  readonly planted: boolean
  readonly missing: string | undefined
  /** What was decided, in words. */
  readonly over: string
}

/** A function of a file of claims, with the text of its body. */
export interface Written {
  readonly name: string
  readonly text: string
  readonly start: number
  readonly end: number
}

/** The functions of a contract that are claims: those with a name that is not private to it. */
export function claimsIn(source: string): readonly Written[] {
  const starts = [...source.matchAll(/^ {4}(?:function (\w+)|modifier )/gm)]
  return starts.flatMap(({ 1: name, index }, i) => {
    const end = starts[i + 1]?.index ?? source.length
    return name ? [{ name, text: source.slice(index, end), start: index, end }] : []
  })
}

/** What a claim's name says, in words. */
export function words(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)
}

/** True iff the claim is what it should be: proven, or planted and not proven. */
export function holds({ planted, missing }: Claim): boolean {
  return planted !== (missing === undefined)
}
