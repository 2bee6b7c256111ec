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

/** The names that tests assert, in a function given to `it`: as arguments of an asserting call, or as what is expected. */
function provokedIn(files: Files, folders: readonly string[]): ReadonlySet<string> {
  const shared = new Set([MATCHER, ...under(files, 'test').flatMap(([path, text]) => assertersOf(treeOf(path, text)))])
  const texts = folders
    .flatMap((folder) => under(files, folder))
    .flatMap(([path, text]) => {
      const calls = [...nodesOf(treeOf(path, text))].filter(ts.isCallExpression)
      const asserters = new Set([...shared, ...wrappersOf(treeOf(path, text), shared)])
      return calls.filter((call) => testAround(call)).flatMap((call) => assertedBy(call, asserters))
    })
  return new Set(texts)
}

/** Functions of the tests that compare a refusal: named for it, and with an assertion in their body. */
function assertersOf(tree: ts.SourceFile): readonly string[] {
  return functionsOf(tree).flatMap(([name, body]) =>
    /refus|revert/i.test(name) && /\bexpect\(/.test(body.getText()) ? [name] : [],
  )
}

/** Functions of a file that hand what they are given on to an asserting one. */
function wrappersOf(tree: ts.SourceFile, asserters: ReadonlySet<string>): readonly string[] {
  return functionsOf(tree).flatMap(([name, body]) => {
    const inner = [...nodesOf(body)].some((node) => ts.isCallExpression(node) && asserters.has(calleeOf(node)))
    return inner ? [name] : []
  })
}

function functionsOf(tree: ts.SourceFile): readonly (readonly [name: string, body: ts.Node])[] {
  return [...nodesOf(tree)].flatMap((node) => {
    if (ts.isFunctionDeclaration(node) && node.name && node.body) return [[node.name.text, node.body] as const]
    if (!ts.isVariableDeclaration(node) || !node.initializer || !ts.isArrowFunction(node.initializer)) return []
    return [[node.name.getText(), node.initializer.body] as const]
  })
}

/** The names that a call asserts, if it asserts any. */
function assertedBy(call: ts.CallExpression, asserters: ReadonlySet<string>): readonly string[] {
  const callee = calleeOf(call)
  if (asserters.has(callee)) return textsOf(call.arguments)
  const expected = expectedBy(call)
  if (expected) return textsOf(expected.flatMap((it) => (ts.isArrayLiteralExpression(it) ? it.elements : [it])))
  // `const selector = court.interface.getError('Name')…`, or `ethers.id('Name()')…`, that something is expected to equal.
  if (!['getError', 'id'].includes(callee) || !isExpectedLater(call)) return []
  return textsOf(call.arguments).map((text) => text.replace(/\(.*$/, ''))
}

function textsOf(nodes: readonly ts.Node[]): readonly string[] {
  return nodes.filter(ts.isStringLiteralLike).map(({ text }) => text)
}

/** `expect(…).to.equal(…)`, or any other end of such a sentence. */
function expectedBy(node: ts.Node): readonly ts.Expression[] | undefined {
  const ends = ts.isCallExpression(node) && ts.isPropertyAccessExpression(node.expression)
  return ends && /^expect\(/.test(node.getText()) ? node.arguments : undefined
}

function isExpectedLater(call: ts.CallExpression): boolean {
  const variable = ts.findAncestor(call, ts.isVariableDeclaration)?.name.getText()
  const expected = [...nodesOf(testAround(call)!)].flatMap((node) => expectedBy(node) ?? [])
  return expected.some((node) => node.getText() === variable)
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
