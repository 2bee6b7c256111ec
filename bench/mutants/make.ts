import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { type Node, type Room, sources, treeOf } from './court.ts'

/** What mutants do to a source, in general. */
export type Kind =
  | 'statement dropped'
  | 'comparison'
  | 'arithmetic'
  | 'bits'
  | 'logic'
  | 'other name'
  | 'number plus one'

/** One small change of a source: `length` bytes at byte `start` become `text`. */
export interface Mutant {
  /** File, function and change; a number tells the same change in the same function apart. It outlives moved lines. */
  readonly id: string
  readonly path: string
  readonly kind: Kind
  /** The function, modifier or constant that it is in. */
  readonly within: string
  readonly line: number
  readonly start: number
  readonly length: number
  readonly text: string
}

interface Change {
  readonly start: number
  readonly end: number
  readonly text: string
  readonly says: string
  readonly kind: Kind
}

const OPERATORS: Readonly<Record<string, string>> = {
  '<': '<=',
  '<=': '<',
  '>': '>=',
  '>=': '>',
  '==': '!=',
  '!=': '==',
  '&&': '||',
  '||': '&&',
  '+': '-',
  '-': '+',
  '*': '/',
  '/': '*',
  '<<': '>>',
  '>>': '<<',
  '|': '&',
  '&': '|',
  '+=': '-=',
  '-=': '+=',
}
const KINDS: readonly (readonly [Kind, string])[] = [
  ['comparison', '< <= > >= == != lt gt'],
  ['arithmetic', '+ - * / += -='],
  ['bits', '<< >> | & and or shl shr'],
  ['logic', '&& ||'],
]
const KIND = new Map(KINDS.flatMap(([kind, all]) => all.split(' ').map((one) => [one, kind] as const)))
const SIDES = ['a b', 'toA toB', 'payA payB', 'amountA amountB', 'fundsA fundsB', 'totalA totalB', 'openOfA openOfB']
  .concat(['backToA backToB', 'sigA sigB', 'withdrawnA withdrawnB', 'fromA fromB', 'restA restB', 'left right'])
  .concat(['CLOSED CLOSED_WITH_LOCKS', 'ETHER_GAS TOKEN_GAS'])
  .map((pair) => pair.split(' ') as [string, string])
const OTHER = new Map(SIDES.flatMap(([one, two]) => [[one, two] as const, [two, one] as const]))
const YUL: Readonly<Record<string, string>> = { lt: 'gt', gt: 'lt', and: 'or', or: 'and', shl: 'shr', shr: 'shl' }

/** A source's text in bytes, as the compiler counts. */
interface Source {
  readonly path: string
  readonly bytes: Buffer
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'nodeType' in value
}

function rangeOf(src: string): readonly [start: number, end: number] {
  const [start, length] = src.split(':').map(Number) as [number, number]
  return [start, start + length]
}

function textOf({ bytes }: Source, src: string): string {
  return bytes.subarray(...rangeOf(src)).toString()
}

function whole(node: Node, kind: Kind, text: string, says: string): Change {
  const [start, end] = rangeOf(node.src)
  return { start, end, text, says, kind }
}

/** A statement that does nothing stands where one is dropped. */
function dropped(source: Source, node: Node): readonly Change[] {
  const short = textOf(source, node.src).replace(/\s+/g, ' ').slice(0, 40)
  return [whole(node, 'statement dropped', 'true', `drop ${short}`)]
}

function statement(source: Source, node: Node): readonly Change[] {
  const { nodeType, operator } = node.expression as Node
  const dropping =
    nodeType === 'Assignment' || nodeType === 'FunctionCall' || (nodeType === 'UnaryOperation' && operator === 'delete')
  return dropping ? dropped(source, node) : []
}

function operator(source: Source, node: Node, left: Node, right: Node): readonly Change[] {
  const other = OPERATORS[node.operator as string]
  const [[, from], [to]] = [rangeOf(left.src), rangeOf(right.src)]
  const at = source.bytes
    .subarray(from, to)
    .toString()
    .indexOf(node.operator as string)
  if (!other || at < 0) return []
  const [start, old] = [from + at, node.operator as string]
  return [{ start, end: start + old.length, text: other, says: `${old} to ${other}`, kind: KIND.get(old)! }]
}

function literal(node: Node): readonly Change[] {
  const value = String(node.value)
  if (value === 'true' || value === 'false') {
    const other = value === 'true' ? 'false' : 'true'
    return [whole(node, 'logic', other, `${value} to ${other}`)]
  }
  const counts = node.kind === 'number' && /^(?:[\d_]+|0x[0-9a-fA-F]+)$/.test(value) && value.length !== 42
  if (!counts) return []
  const more = BigInt(value.replaceAll('_', '')) + 1n
  const unit = node.subdenomination ? ` ${node.subdenomination}` : ''
  return [whole(node, 'number plus one', `${more}${unit}`, `${value.slice(0, 12)}${unit} plus one`)]
}

function name(node: Node): readonly Change[] {
  const [isMember, said] = [node.nodeType === 'MemberAccess', String(node.memberName ?? node.name)]
  const other = OTHER.get(said) ?? (isMember && said === 'max' ? 'min' : undefined)
  if (!other) return []
  const [start, end] = rangeOf(isMember ? (node.memberLocation as string) : node.src)
  return [{ start, end, text: other, says: `${said} to ${other}`, kind: 'other name' }]
}

function yulCall(node: Node): readonly Change[] {
  const called = node.functionName as Node
  const other = YUL[called.name as string]
  return other ? [whole(called, KIND.get(called.name as string)!, other, `${called.name} to ${other}`)] : []
}

function changes(source: Source, node: Node): readonly Change[] {
  switch (node.nodeType) {
    case 'ExpressionStatement':
      return statement(source, node)
    case 'EmitStatement':
      return dropped(source, node)
    case 'BinaryOperation':
      return operator(source, node, node.leftExpression as Node, node.rightExpression as Node)
    case 'Assignment':
      return operator(source, node, node.leftHandSide as Node, node.rightHandSide as Node)
    case 'UnaryOperation':
      return node.operator === '!'
        ? [whole(node, 'logic', textOf(source, (node.subExpression as Node).src), 'drop !')]
        : []
    case 'Literal':
    case 'YulLiteral':
      return literal(node)
    case 'Identifier':
    case 'MemberAccess':
      return name(node)
    case 'YulFunctionCall':
      return yulCall(node)
    case 'ModifierInvocation':
      return (node.modifierName as Node).name === undefined
        ? []
        : [whole(node, 'statement dropped', '', `drop ${textOf(source, node.src)}`)]
    default:
      return []
  }
}

/** Every change below a node, with the function (or constant) around it. */
function* walk(source: Source, node: Node, around: string): Generator<readonly [Change, string]> {
  // Names of events, types and imports are no code.
  if (/^(?:ImportDirective|UsingForDirective|InheritanceSpecifier|StructuredDocumentation)$/.test(node.nodeType)) return
  const named = /^(?:FunctionDefinition|ModifierDefinition|VariableDeclaration)$/.test(node.nodeType)
  const local = node.nodeType === 'VariableDeclaration' && node.stateVariable !== true
  const within = named && !local ? String(node.name || node.kind) : around
  for (const change of changes(source, node)) yield [change, within]
  for (const child of Object.values(node).flat()) if (isNode(child)) yield* walk(source, child, within)
}

function made(path: string): readonly Mutant[] {
  const source = { path, bytes: readFileSync(path) }
  const seen = new Map<string, number>()
  const found = [...walk(source, treeOf(path), 'file')].sort(([one], [two]) => one.start - two.start)
  return found.map(([{ start, end, text, says, kind }, within]) => {
    const words = `${basename(path)} ${within}: ${says}`
    const count = (seen.get(words) ?? 0) + 1
    seen.set(words, count)
    const line = source.bytes.subarray(0, start).toString().split('\n').length
    const id = count === 1 ? words : `${words} #${count}`
    return { id, path, kind, within, line, start, length: end - start, text }
  })
}

/** Every mutant of every source of a room, always in the same order. */
export function allMutants(room: Room): readonly Mutant[] {
  return sources(room).flatMap(made)
}

/** The source as the mutant has it. */
export function mutated({ path, start, length, text }: Mutant): string {
  const bytes = readFileSync(path)
  return Buffer.concat([bytes.subarray(0, start), Buffer.from(text), bytes.subarray(start + length)]).toString()
}

/** The mutants in a random order that the seed fixes: every beginning of it is a fair sample, and stays one as mutants come and go. */
export function shuffled(mutants: readonly Mutant[], seed: string): readonly Mutant[] {
  const keyed = mutants.map((mutant) => [hash(`${seed} ${mutant.id}`), mutant] as const)
  return keyed.sort(([one], [two]) => (one < two ? -1 : 1)).map(([, mutant]) => mutant)
}

/** What tells apart files as they are, and more: results for other code are worth nothing. */
export function fingerprint(paths: readonly string[], more = ''): string {
  return hash([...paths.map((path) => readFileSync(path, 'utf8')), more].join('')).slice(0, 16)
}

function hash(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
