import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path/posix'
import ts from 'typescript'

/** Source texts by path, relative to the project, with forward slashes. */
export type Files = ReadonlyMap<string, string>

const FOLDERS = [
  'src',
  'contracts',
  'test',
  'bench',
  'scripts',
  'ignition/modules',
  'typechain-types',
  'artifacts/contracts',
]
const SOURCE = /\.(?:ts|mjs|sol|json)$/

/** Every source file of the project as it lies on the disk, with the contracts' built artifacts. */
export function projectFiles(): Files {
  return new Map(
    FOLDERS.filter((folder) => existsSync(folder))
      .flatMap(list)
      .map((path) => [path, readFileSync(path, 'utf8')]),
  )
}

function list(folder: string): readonly string[] {
  const entries = readdirSync(folder, { withFileTypes: true, recursive: true }).filter((entry) => entry.isFile())
  const paths = entries.map((entry) => join(entry.parentPath.replaceAll('\\', '/'), entry.name))
  return paths.filter((path) => SOURCE.test(path) && !path.includes('/node_modules/')).sort()
}

/** The project with more files, or other texts under the same paths: a violation to be caught. */
export function planted(files: Files, more: Readonly<Record<string, string>>): Files {
  return new Map([...files, ...Object.entries(more)])
}

/** The files under a folder whose names end so. */
export function under(
  files: Files,
  folder: string,
  ending = '.ts',
): readonly (readonly [path: string, text: string])[] {
  return [...files].filter(([path]) => path.startsWith(`${folder}/`) && path.endsWith(ending))
}

const trees = new Map<string, ts.SourceFile>()

/** The syntax tree of a TypeScript text, with parents set. */
export function treeOf(path: string, text: string): ts.SourceFile {
  const key = `${path}\n${text}`
  const tree = trees.get(key) ?? ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true)
  trees.set(key, tree)
  return tree
}

/** Every node of a tree, parents first. */
export function* nodesOf(node: ts.Node): Generator<ts.Node> {
  yield node
  for (const child of node.getChildren()) yield* nodesOf(child)
}

/** "path:line" of a node, for people. */
export function placeOf(node: ts.Node): string {
  const tree = node.getSourceFile()
  return `${tree.fileName}:${tree.getLineAndCharacterOfPosition(node.getStart()).line + 1}`
}

/** What a module names in import, export … from, import() and import types, with the node that names it. */
export function importsOf(tree: ts.SourceFile): readonly { readonly node: ts.Node; readonly specifier: string }[] {
  const found: { node: ts.Node; specifier: string }[] = []
  for (const node of nodesOf(tree)) {
    const named = nameOfModule(node)
    if (named && ts.isStringLiteralLike(named)) found.push({ node, specifier: named.text })
  }
  return found
}

function nameOfModule(node: ts.Node): ts.Node | undefined {
  if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) return node.moduleSpecifier
  if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) return node.arguments[0]
  if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) return node.argument.literal
  return undefined
}

/** The path that a relative import means, or undefined for a package. */
export function target(from: string, specifier: string): string | undefined {
  return specifier.startsWith('.') ? normalize(join(dirname(from), specifier)) : undefined
}

/** The relative imports of every TypeScript file outside the generated types: path -> paths. */
export function graphOf(files: Files): ReadonlyMap<string, readonly string[]> {
  const graph = new Map<string, readonly string[]>()
  for (const [path, text] of files) {
    if (!path.endsWith('.ts') || path.startsWith('typechain-types/')) continue
    const targets = importsOf(treeOf(path, text)).map(({ specifier }) => target(path, specifier))
    graph.set(path, [...new Set(targets.filter((to) => to !== undefined))])
  }
  return graph
}
