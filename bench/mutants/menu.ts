import { createHash } from 'node:crypto'
import { existsSync, globSync, readFileSync, writeFileSync } from 'node:fs'
import { type Built, build, complaints, type Node, type Texts, treeOf } from './court.ts'
import type { Mutant } from './make.ts'

/** What stands in the built code where the number of the mutant that is served is put. */
const NOW = 'c0ffee5eed1e55deadbeefcafe0123456789abcdefb01dface0ddba11ba5eba1'

/** A function with the mutants of its body, numbered from `first` on. */
interface Dish {
  readonly path: string
  readonly node: Node
  readonly first: number
  readonly mutants: readonly Mutant[]
}

/** Many mutants in one build. */
export interface Menu {
  /** The code that behaves as one mutant of the menu, or as the right code; undefined for what is not on it. */
  readonly codeOf: (mutant: Mutant | undefined) => Built | undefined
  /** Mutants that do not compile. */
  readonly invalid: ReadonlySet<string>
}

/**
 * Builds the right code with, beside each function, a copy of it for each of its mutants, and a number that says which
 * copy runs: a mutant then costs no build, only another number in the code. What is outside of a function's body, or in a
 * constructor, is not on the menu.
 */
export function menuOf(mutants: readonly Mutant[], targets: readonly string[]): Menu {
  const invalid = new Set<string>()
  for (;;) {
    const dishes = dishesOf(mutants.filter(({ id }) => !invalid.has(id)))
    const texts = textsOf(dishes)
    const wrong = complaints(texts, targets)
    const bad = wrong.flatMap(({ path, start }) => blamed(dishes, texts, path, start))
    if (wrong.length > 0 && bad.length === 0) throw new Error(`no mutant is to blame: ${wrong[0]!.says}`)
    for (const id of bad) invalid.add(id)
    if (wrong.length === 0) return served(dishes, cooked(texts, targets), invalid)
  }
}

/** Built once: the same menu is asked for again by whoever goes on with a run. */
function cooked(texts: Texts, targets: readonly string[]): Built | string {
  const all = JSON.stringify([
    [...texts],
    targets,
    globSync('contracts/**/*.sol')
      .sort()
      .map((at) => readFileSync(at, 'utf8')),
  ])
  const path = `.kerros/menu.${createHash('sha256').update(all).digest('hex').slice(0, 16)}.json`
  if (existsSync(path)) return JSON.parse(readFileSync(path, 'utf8')) as Built
  const built = build(texts, targets)
  if (typeof built !== 'string') writeFileSync(path, JSON.stringify(built))
  return built
}

function served(dishes: readonly Dish[], built: Built | string, invalid: ReadonlySet<string>): Menu {
  if (typeof built === 'string') throw new Error(`the menu does not build: ${built}`)
  const numbers = new Map(dishes.flatMap(({ first, mutants }) => mutants.map(({ id }, i) => [id, first + i] as const)))
  const codeOf = (mutant: Mutant | undefined): Built | undefined => {
    const number = mutant === undefined ? 0 : numbers.get(mutant.id)
    return number === undefined ? undefined : withNumber(built, number)
  }
  return { codeOf, invalid }
}

function withNumber(built: Built, number: number): Built {
  const word = number.toString(16).padStart(64, '0')
  const put = (code: string) => code.replaceAll(NOW, word)
  const each = (all: Readonly<Record<string, string>>) =>
    Object.fromEntries(Object.entries(all).map(([name, code]) => [name, put(code)]))
  return Object.fromEntries(Object.entries(built).map(([path, all]) => [path, each(all)]))
}

function dishesOf(mutants: readonly Mutant[]): readonly Dish[] {
  let first = 1
  return [...new Set(mutants.map(({ path }) => path))].flatMap((path) =>
    functionsOf(treeOf(path)).flatMap((node): Dish[] => {
      const [start, end] = rangeOf((node.body as Node).src)
      const mine = mutants.filter((one) => one.path === path && one.start > start && one.start + one.length <= end)
      if (mine.length === 0) return []
      const dish = { path, node, first, mutants: mine }
      first += mine.length
      return [dish]
    }),
  )
}

function* below(node: Node): Generator<Node> {
  yield node
  for (const child of Object.values(node).flat()) {
    if (typeof child === 'object' && child !== null && 'nodeType' in child) yield* below(child as Node)
  }
}

/** Functions whose copies can be called with what they were called with. */
function functionsOf(tree: Node): readonly Node[] {
  return [...below(tree)].filter(
    (node) =>
      node.nodeType === 'FunctionDefinition' &&
      /^(?:function|freeFunction)$/.test(node.kind as string) &&
      node.body !== null &&
      node.body !== undefined &&
      parametersOf(node).every(({ name }) => name !== ''),
  )
}

function parametersOf(node: Node): readonly { readonly name: string }[] {
  return (node.parameters as { readonly parameters: readonly { readonly name: string }[] }).parameters
}

function rangeOf(src: string): readonly [start: number, end: number] {
  const [start, length] = src.split(':').map(Number) as [number, number]
  return [start, start + length]
}

/** A change of a source: what is put in at a byte, from the last one to the first. */
type Insertion = readonly [at: number, text: string]

function textsOf(dishes: readonly Dish[]): Texts {
  const texts = new Map<string, string>()
  for (const path of new Set(dishes.map((dish) => dish.path))) {
    const bytes = readFileSync(path)
    const insertions = dishes.filter((dish) => dish.path === path).flatMap((dish) => insertionsOf(bytes, dish))
    insertions.push([bytes.length, `\nuint256 constant MUTANT_NOW = 0x${NOW};\n`])
    const pieces: Buffer[] = []
    let last = 0
    for (const [at, text] of insertions.sort(([one], [two]) => one - two)) {
      pieces.push(bytes.subarray(last, at), Buffer.from(text))
      last = at
    }
    texts.set(path, Buffer.concat([...pieces, bytes.subarray(last)]).toString())
  }
  return texts
}

/** Where a function sends calls to its copies, and the copies after it. */
function insertionsOf(bytes: Buffer, { node, first, mutants }: Dish): readonly Insertion[] {
  const [begin] = rangeOf((node.body as Node).src)
  const given = parametersOf(node).map(({ name }) => name)
  const answers = (node.returnParameters as { readonly parameters: readonly unknown[] }).parameters.length > 0
  const sent = mutants.map((_, i) => {
    const call = `${String(node.name)}_mutant${first + i}(${given.join(', ')})`
    return `if (MUTANT_NOW == ${first + i}) { ${answers ? `return ${call};` : `${call}; return;`} }`
  })
  const within = `if (MUTANT_NOW >= ${first}) { if (MUTANT_NOW < ${first + mutants.length}) { ${sent.join(' ')} } }`
  const copies = mutants.map((mutant, i) => copyOf(bytes, node, mutant, first + i))
  return [
    [begin + 1, ` ${within} `],
    [rangeOf(node.src)[1], `\n${copies.join('\n')}\n`],
  ]
}

function copyOf(bytes: Buffer, node: Node, mutant: Mutant, number: number): string {
  const text = (start: number, end: number) => bytes.subarray(start, end).toString()
  const [begin, end] = rangeOf((node.body as Node).src)
  const body = text(begin, mutant.start) + mutant.text + text(mutant.start + mutant.length, end)
  const [parameters, results] = [node.parameters as Node, node.returnParameters as Node & { parameters: unknown[] }]
  const returns = results.parameters.length > 0 ? `returns ${text(...rangeOf(results.src))}` : ''
  const seen = node.kind === 'freeFunction' ? '' : 'private'
  const state = node.stateMutability === 'pure' || node.stateMutability === 'view' ? node.stateMutability : ''
  const head = `function ${String(node.name)}_mutant${number}${text(...rangeOf(parameters.src))}`
  return `${head} ${seen} ${state} ${returns} ${body}`
}

/** The mutants whose copy contains the place of a complaint. */
function blamed(dishes: readonly Dish[], texts: Texts, path: string, start: number): readonly string[] {
  const before = Buffer.from(texts.get(path) ?? '')
    .subarray(0, start + 1)
    .toString()
  const number = Number(/.*function \w+_mutant(\d+)\(/s.exec(before)?.[1] ?? Number.NaN)
  return dishes.flatMap((dish) =>
    dish.path === path && number >= dish.first && number < dish.first + dish.mutants.length
      ? [dish.mutants[number - dish.first]!.id]
      : [],
  )
}
