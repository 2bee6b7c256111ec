import ts from 'typescript'
import { type Files, nodesOf, placeOf, treeOf, under } from './files.ts'

const FORBIDDEN = /^(?:utils?|helpers?|commons?|shared|misc)$/i

/** Generated files are as long as they are. */
function written(files: Files): readonly (readonly [path: string, text: string])[] {
  return [...files].filter(([path]) => !/^(?:typechain-types|artifacts)\//.test(path) && !path.endsWith('.json'))
}

/** Files with more lines than their kind may have. */
export function tooLong(files: Files): readonly string[] {
  return written(files).flatMap(([path, text]) => {
    const [have, need] = [text.split('\n').length - (text.endsWith('\n') ? 1 : 0), ceiling(path, text)]
    return have <= need ? [] : [`${path} has ${have} lines, its ceiling is ${need}`]
  })
}

function ceiling(path: string, text: string): number {
  if (path.startsWith('scripts/')) return 80
  if (!path.endsWith('.sol')) return 400
  const kinds = [...text.matchAll(/^(?:abstract )?(contract|library|interface) /gm)].map(([, kind]) => kind)
  return kinds.length > 0 && kinds.every((kind) => kind === 'library') ? 150 : 600
}

/** Files and folders whose name says nothing. */
export function badNames(files: Files): readonly string[] {
  return [...files.keys()].filter(
    (path) =>
      !/^(?:typechain-types|artifacts)\//.test(path) &&
      path.split('/').some((part) => FORBIDDEN.test(part.split('.')[0]!)),
  )
}

/** Files of src that only pass on what others export. */
export function barrels(files: Files): readonly string[] {
  return written(files).flatMap(([path, text]) => {
    if (!path.startsWith('src/') || !path.endsWith('.ts')) return []
    if (/(?:^|\/)index\.ts$/.test(path)) return [`${path} is named as a barrel`]
    const { statements } = treeOf(path, text)
    const passed = statements.filter((node) => ts.isExportDeclaration(node) && node.moduleSpecifier)
    const all = passed.filter((node) => ts.isExportDeclaration(node) && !node.exportClause)
    if (passed.length > 0 && passed.length === statements.length) return [`${path} is a barrel`]
    return all.map((node) => `${placeOf(node)} passes on all of another file`)
  })
}

/** The middle length of the functions of a language's folder, in lines, if it is above what makes them readable. */
export function longFunctions(files: Files): readonly string[] {
  const typescript = under(files, 'src').flatMap(([path, text]) => [...nodesOf(treeOf(path, text))].flatMap(linesOf))
  const contracts = under(files, 'contracts', '.sol').filter(([path]) => !path.startsWith('contracts/test/'))
  const solidity = contracts.flatMap(([, text]) =>
    (text.match(SOLIDITY_FUNCTION) ?? []).map((body) => body.split('\n').length),
  )
  return [tooHigh('src', typescript, 15), tooHigh('contracts', solidity, 10)].flat()
}

/** As the formatter lays it out: from its keyword to the brace under it, or to the brace of its own line. */
const SOLIDITY_FUNCTION = /^ {4}(?:function|constructor)\b[^;{]*\{(?:.*\}$|[\s\S]*?^ {4}\}$)/gm

function linesOf(node: ts.Node): readonly number[] {
  if (!ts.isFunctionLike(node) || !('body' in node) || !node.body || !ts.isBlock(node.body as ts.Node)) return []
  return [node.getText().split('\n').length]
}

function tooHigh(folder: string, lengths: readonly number[], need: number): readonly string[] {
  const have = lengths.toSorted((a, b) => a - b)[lengths.length >> 1] ?? 0
  return have <= need ? [] : [`the middle function of ${folder} has ${have} lines, its ceiling is ${need}`]
}
