import { type Files, graphOf, importsOf, placeOf, target, treeOf, under } from './files.ts'

// A room may import from itself and from every room of a lower rank; channel and plasma have one rank and are strangers.
const RANKS: Readonly<Record<string, number>> = {
  'src/core/base': 0,
  'src/core/channel': 1,
  'src/core/plasma': 1,
  'src/edge': 2,
  'src/role': 3,
  'src/task': 4,
}

/** The room that a file of src lies in, or undefined. */
function roomOf(path: string): string | undefined {
  return Object.keys(RANKS).find((room) => path.startsWith(`${room}/`))
}

/** Imports in src that leave the order of the rooms, and files of src that lie in no room. */
export function misplacedImports(files: Files): readonly string[] {
  return under(files, 'src').flatMap(([path, text]) => {
    const room = roomOf(path)
    if (!room) return [`${path} lies in no room of src`]
    return importsOf(treeOf(path, text)).flatMap(({ node, specifier }) => {
      const to = target(path, specifier)
      const why = to === undefined ? undefined : misplaced(room, path, to)
      return why === undefined ? [] : [`${placeOf(node)} imports ${specifier}: ${why}`]
    })
  })
}

function misplaced(room: string, from: string, to: string): string | undefined {
  if (!to.endsWith('.ts')) return 'a relative import ends in .ts'
  if (to.startsWith('typechain-types/')) {
    return from.startsWith('src/edge/chain/') ? undefined : 'only src/edge/chain uses typechain-types'
  }
  const there = roomOf(to)
  if (!there) return 'src imports nothing from outside its rooms'
  return room === there || RANKS[there]! < RANKS[room]! ? undefined : `${room} may not use ${there}`
}

/** Files of src below role that reach both channel and plasma, through whatever they import. */
export function meetings(files: Files): readonly string[] {
  const graph = graphOf(files)
  return [...graph.keys()].flatMap((path) => {
    const room = roomOf(path)
    if (!room || RANKS[room]! >= RANKS['src/role']!) return []
    const seen = [...reach(graph, path)]
    const meet = ['src/core/channel/', 'src/core/plasma/'].every((side) => seen.some((to) => to.startsWith(side)))
    return meet ? [`${path} brings channel and plasma together below role`] : []
  })
}

function reach(graph: ReadonlyMap<string, readonly string[]>, from: string, seen = new Set<string>()): Set<string> {
  if (seen.has(from)) return seen
  seen.add(from)
  for (const to of graph.get(from) ?? []) reach(graph, to, seen)
  return seen
}

/** Import cycles of the whole project, types included, each told once. */
export function cycles(files: Files): readonly string[] {
  const graph = graphOf(files)
  const done = new Set<string>()
  const found: string[] = []
  const visit = (path: string, trail: readonly string[]): void => {
    const at = trail.indexOf(path)
    if (at >= 0) found.push([...trail.slice(at), path].join(' -> '))
    if (at >= 0 || done.has(path)) return
    for (const to of graph.get(path) ?? []) visit(to, [...trail, path])
    done.add(path)
  }
  for (const path of graph.keys()) visit(path, [])
  return found
}
