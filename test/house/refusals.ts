import ts from 'typescript'
import { artifactsOf, type Entry, entriesOf } from './abi.ts'
import { type Files, nodesOf, placeOf, treeOf, under } from './files.ts'

/** The list that a file of the core exports if it refuses where no contract does. */
const OFF_CHAIN = 'OFF_CHAIN_CODES'

interface Use {
  readonly code: string | undefined
  /** Number of arguments, or undefined if they are spread. */
  readonly args: number | undefined
  readonly place: string
}

/** Refusals of the core whose code is no custom error of its court and no listed off-chain code, or whose arguments differ. */
export function strangeRefusals(files: Files): readonly string[] {
  return (['base', 'channel', 'plasma'] as const).flatMap((room) => {
    const courts = room === 'base' ? artifactsOf(files) : [...artifactsOf(files, room), ...artifactsOf(files, 'base')]
    const errors = entriesOf(courts, 'error')
    const uses = under(files, `src/core/${room}`).flatMap(([path, text]) => refusalsIn(path, text))
    const listed = under(files, `src/core/${room}`).flatMap(([path, text]) => listedIn(path, text))
    return [
      ...uses.flatMap((use) => complaint(use, errors, listed)),
      ...listed
        .filter((code) => errors.has(code))
        .map((code) => `${OFF_CHAIN} of ${room} lists ${code}, which is a custom error`),
      ...unused(listed, uses).map((code) => `${OFF_CHAIN} of ${room} lists ${code}, which nothing refuses with`),
    ]
  })
}

function complaint(
  use: Use,
  errors: ReadonlyMap<string, readonly Entry[]>,
  listed: readonly string[],
): readonly string[] {
  const { code, args, place } = use
  if (code === undefined) return [`${place} refuses with a code that is not a literal`]
  const known = errors.get(code)
  if (!known) return listed.includes(code) ? [] : [`${place} refuses with ${code}, which no contract declares`]
  const fits = args === undefined || known.some(({ inputs }) => inputs?.length === args)
  const need = known.map(({ inputs }) => inputs?.length).join(' or ')
  return fits ? [] : [`${place} refuses with ${code} of ${args} arguments, the custom error has ${need}`]
}

function unused(listed: readonly string[], uses: readonly Use[]): readonly string[] {
  return listed.filter((code) => !uses.some((use) => use.code === code))
}

function refusalsIn(path: string, text: string): readonly Use[] {
  if (path === 'src/core/base/Step.ts') return [] // it defines what the others call
  return [...nodesOf(treeOf(path, text))].flatMap((node) => {
    if (ts.isCallExpression(node) && node.expression.getText() === 'require')
      return usesOf(node, node.arguments.slice(1))
    if (ts.isNewExpression(node) && node.expression.getText() === 'Refusal') return usesOf(node, node.arguments ?? [])
    return []
  })
}

function usesOf(node: ts.Node, [code, ...args]: readonly ts.Expression[]): readonly Use[] {
  const count = args.some(ts.isSpreadElement) ? undefined : args.length
  return literalsOf(code).map((literal) => ({ code: literal, args: count, place: placeOf(node) }))
}

/** The texts that an expression may be: a literal, or a choice between literals. */
function literalsOf(code: ts.Expression | undefined): readonly (string | undefined)[] {
  if (code && ts.isConditionalExpression(code)) return [...literalsOf(code.whenTrue), ...literalsOf(code.whenFalse)]
  return [code && ts.isStringLiteralLike(code) ? code.text : undefined]
}

function listedIn(path: string, text: string): readonly string[] {
  return [...nodesOf(treeOf(path, text))].flatMap((node) => {
    if (!ts.isVariableDeclaration(node) || node.name.getText() !== OFF_CHAIN || !node.initializer) return []
    return [...nodesOf(node.initializer)].filter(ts.isStringLiteralLike).map((literal) => literal.text)
  })
}
