import ts from 'typescript'
import { type Files, placeOf, treeOf } from './files.ts'

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
