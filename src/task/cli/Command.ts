/** One word of a command line that has a place instead of a name. */
export interface Argument {
  /** As help shows it: "ID", "AMOUNT". */
  readonly name: string
  readonly about: string
  readonly optional?: true
  /** Takes all words that are left: "0.25 ETH" needs no quotes. */
  readonly rest?: true
}

/** One option, by its name in kebab case. */
export interface Option {
  readonly name: string
  /** What help calls its value: "FILE". A flag has none. */
  readonly value?: string
  readonly about: string
}

/** What a command answers: a value for programs, and the same in words for people. */
export interface Answer {
  readonly json: unknown
  readonly text: string
}

/** What a command line asked for, and where its words go. */
export interface Call {
  /** The words that have a place, by the argument's name. */
  readonly args: Readonly<Record<string, string>>
  /** The options that were given, by name; a flag is true. */
  readonly options: Readonly<Record<string, string | true>>
  readonly env: Readonly<Record<string, string | undefined>>
  /** Tells of progress, a line each: never part of the answer. */
  readonly say: (line: string) => void
  /** Tells whoever waits for the answer how far it is, a line each: on standard error. */
  readonly note: (line: string) => void
  /** Answers before the command has ended, as those do that stay: once. */
  readonly answer: (answer: Answer) => void
}

/** What a command does. Resolves with its answer, or with nothing if it has answered before. */
export type Run = (call: Call) => Promise<Answer | undefined>

/** One command of kerros, as the command line and Hardhat know it. */
export interface Command {
  /** Its words: ["channel", "pay"]. */
  readonly path: readonly string[]
  readonly about: string
  readonly args: readonly Argument[]
  readonly options: readonly Option[]
  /** What stands behind "kerros " in each example, and what it does. */
  readonly examples: readonly (readonly [line: string, what: string])[]
  /** What the fields of its JSON are: exactly these, whatever it answers. */
  readonly answers?: Readonly<Record<string, string>>
  /** Brings the command's code, which nothing else loads. */
  readonly load: () => Promise<Run>
}

/** The value of an option that takes one, or undefined if it was not given. */
export function option({ options }: Call, name: string): string | undefined {
  const value = options[name]
  return value === true ? undefined : value
}
