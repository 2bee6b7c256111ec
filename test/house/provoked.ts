import ts from 'typescript'
import { artifactsOf, entriesOf } from './abi.ts'
import { type Files, nodesOf, treeOf, under } from './files.ts'

/** Chai's matcher for custom errors; the project's own assertions are found by what they do. */
const MATCHER = 'revertedWithCustomError'

/** A court, the folders of the tests that try it, and its errors that no call can reach yet. */
export interface Tried {
  readonly court: string
  readonly folders: readonly string[]
  readonly unreachable: readonly string[]
}

/** Custom errors of a court that no test provokes, and errors called unreachable that one does provoke or that are gone. */
export function unprovoked(files: Files, { court, folders, unreachable }: Tried): readonly string[] {
  const artifacts = artifactsOf(files).filter(({ contractName }) => contractName === court)
  const errors = [...entriesOf(artifacts, 'error').keys()]
  const provoked = provokedIn(files, folders)
  const missing = errors.filter((error) => !provoked.has(error) && !unreachable.includes(error))
  const reached = unreachable.filter((error) => provoked.has(error) || !errors.includes(error))
  return [
    ...missing.map((error) => `${court} can refuse with ${error}, which no test provokes`),
    ...reached.map((error) => `${error} is called unreachable in ${court}, but a test provokes it or it is gone`),
  ]
}

/** The names that tests assert: literal arguments of an asserting call, and selectors that are expected of something. */
function provokedIn(files: Files, folders: readonly string[]): ReadonlySet<string> {
  const asserters = assertersOf(files)
  const nodes = folders
    .flatMap((folder) => under(files, folder))
    .flatMap(([path, text]) => [...nodesOf(treeOf(path, text))])
  const calls = nodes.filter(ts.isCallExpression).filter((call) => testAround(call) !== undefined)
  const asserting = calls.filter((call) => asserters.has(calleeOf(call)) || isExpectedSelector(call))
  return new Set(asserting.flatMap((call) => call.arguments.filter(ts.isStringLiteralLike)).map(({ text }) => text))
}

/** `const selector = court.interface.getError('Name')…` of a test that later expects something to equal `selector`. */
function isExpectedSelector(call: ts.CallExpression): boolean {
  if (calleeOf(call) !== 'getError') return false
  const variable = ts.findAncestor(call, ts.isVariableDeclaration)?.name.getText()
  const body = testAround(call)!
  return [...nodesOf(body)].some(
    (node) =>
      ts.isCallExpression(node) &&
      ts.isPropertyAccessExpression(node.expression) &&
      /^expect\(/.test(node.getText()) &&
      node.arguments.some((argument) => argument.getText() === variable),
  )
}

/** Functions of the tests that compare a refusal: named for it, and with an assertion in their body. */
function assertersOf(files: Files): ReadonlySet<string> {
  const names = under(files, 'test')
    .flatMap(([path, text]) => [...nodesOf(treeOf(path, text))])
    .filter((node) => ts.isFunctionDeclaration(node) && /expect\(/.test(node.body?.getText() ?? ''))
    .map((node) => (node as ts.FunctionDeclaration).name?.text ?? '')
  return new Set([MATCHER, ...names.filter((name) => /refus|revert/i.test(name))])
}

function calleeOf(call: ts.CallExpression): string {
  const callee = call.expression
  return ts.isPropertyAccessExpression(callee) ? callee.name.text : callee.getText()
}

/** The function given to `it` that a node lies in. */
function testAround(node: ts.Node): ts.Node | undefined {
  const isTest = (at: ts.Node): boolean =>
    ts.isFunctionLike(at) && ts.isCallExpression(at.parent) && calleeOf(at.parent) === 'it'
  return ts.findAncestor(node, isTest)
}
