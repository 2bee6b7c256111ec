import ts from 'typescript'
import { type Files, importsOf, nodesOf, placeOf, target, treeOf, under } from './files.ts'

/** What the core may use without importing it: values of the language that are the same at every run, everywhere. */
const GLOBALS = new Set(
  `Array ArrayBuffer BigInt BigInt64Array BigUint64Array Boolean DataView Error EvalError Infinity Int16Array Int32Array
  Int8Array Iterator JSON Map Math NaN Number Object RangeError Reflect RegExp Set String Symbol SyntaxError
  TextDecoder TextEncoder TypeError URIError Uint16Array Uint32Array Uint8Array Uint8ClampedArray WeakMap WeakSet
  isFinite isNaN parseFloat parseInt structuredClone undefined`.split(/\s+/),
)
const IMPURE_TYPES = new Set(['Promise', 'PromiseLike', 'Awaited', 'AsyncIterable', 'AsyncGenerator', 'Date'])
const PACKAGES = /^(?:@noble\/|hash-wasm$|secp256k1\/bindings\.js$)/
const LOADER = 'src/core/base/Signature.ts'

/** Everything in src/core that waits, or knows the time, chance, the environment or a provider. */
export function impurities(files: Files): readonly string[] {
  return under(files, 'src/core').flatMap(([path, text]) => {
    const tree = treeOf(path, text)
    const exempt = path === LOADER ? loaderLine(tree) : undefined
    const unbound = unboundIn(path, text)
    const bad = [...nodesOf(tree)].filter((node) => !exempt || !within(node, exempt))
    return [
      ...bad.flatMap((node) => complaint(node, unbound)),
      ...importsOf(tree).flatMap(({ node, specifier }) =>
        target(path, specifier) !== undefined || PACKAGES.test(specifier) || path.endsWith('.d.ts')
          ? []
          : [`${placeOf(node)} imports ${specifier}`],
      ),
    ]
  })
}

/** The one statement that may wait: it loads the WASM hasher, at the top of the file that owns it. */
function loaderLine(tree: ts.SourceFile): ts.Node | undefined {
  return tree.statements.find(
    (statement) => ts.isVariableStatement(statement) && statement.getText().includes('hasher'),
  )
}

function within(node: ts.Node, outer: ts.Node): boolean {
  return node.pos >= outer.pos && node.end <= outer.end
}

function complaint(node: ts.Node, unbound: ReadonlySet<number>): readonly string[] {
  const what = impure(node, unbound)
  return what === undefined ? [] : [`${placeOf(node)} uses ${what}`]
}

function impure(node: ts.Node, unbound: ReadonlySet<number>): string | undefined {
  if (node.kind === ts.SyntaxKind.AsyncKeyword) return 'async'
  if (node.kind === ts.SyntaxKind.AwaitKeyword) return 'await'
  if (ts.isMetaProperty(node)) return 'import.meta'
  if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) return 'import()'
  if (!ts.isIdentifier(node) || !unbound.has(node.getStart())) return undefined
  if (isTypeName(node)) return IMPURE_TYPES.has(node.text) ? node.text : undefined
  if (node.text === 'Math') return namesRandom(node) ? 'Math.random' : undefined
  return GLOBALS.has(node.text) ? undefined : node.text
}

function isTypeName(node: ts.Identifier): boolean {
  return (
    ts.isPartOfTypeNode(node) || ts.isTypeReferenceNode(node.parent) || ts.isExpressionWithTypeArguments(node.parent)
  )
}

/** Math is fine wherever the field taken from it can be read off and is not `random`. */
function namesRandom(math: ts.Identifier): boolean {
  return !ts.isPropertyAccessExpression(math.parent) || math.parent.name.text === 'random'
}

/** Where a file uses names that nothing in it declares: resolved by the compiler's own scopes, with no library at all. */
function unboundIn(path: string, text: string): ReadonlySet<number> {
  const options = { noLib: true, noResolve: true, target: ts.ScriptTarget.Latest, types: [] }
  const tree = ts.createSourceFile(path, text, options.target, true)
  const host = { ...HOST, getSourceFile: (name: string) => (name === path ? tree : undefined) }
  const checker = ts.createProgram([path], options, host).getTypeChecker()
  const used = [...nodesOf(tree)].filter((node): node is ts.Identifier => ts.isIdentifier(node) && isUse(node))
  return new Set(used.filter((node) => !declared(checker, node)).map((node) => node.getStart()))
}

function declared(checker: ts.TypeChecker, node: ts.Identifier): boolean {
  const shorthand = ts.isShorthandPropertyAssignment(node.parent)
  const symbol = shorthand ? checker.getShorthandAssignmentValueSymbol(node.parent) : checker.getSymbolAtLocation(node)
  return (symbol?.declarations?.length ?? 0) > 0
}

/** False for names that stand for a field, a key or a label, and so mean nothing global. */
function isUse(node: ts.Identifier): boolean {
  const parent = node.parent
  if (ts.isPropertyAccessExpression(parent)) return parent.name !== node
  if (ts.isQualifiedName(parent)) return parent.right !== node
  if (ts.isPropertyAssignment(parent) || ts.isBindingElement(parent)) {
    return (ts.isPropertyAssignment(parent) ? parent.initializer : parent.initializer) === node
  }
  if (ts.isImportSpecifier(parent) || ts.isExportSpecifier(parent)) return false
  return !ts.isMetaProperty(parent)
}

const HOST: ts.CompilerHost = {
  fileExists: () => false,
  readFile: () => undefined,
  getSourceFile: () => undefined,
  getDefaultLibFileName: () => 'lib.d.ts',
  writeFile: () => undefined,
  getCurrentDirectory: () => '',
  getCanonicalFileName: (name) => name,
  useCaseSensitiveFileNames: () => true,
  getNewLine: () => '\n',
}
