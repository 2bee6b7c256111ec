import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

const ROOT = join(import.meta.dirname, '../..')

/** A rule of a machine, and what stands in its place when it is left out. */
export interface Rule {
  readonly file: string
  readonly rule: string
  readonly instead: string
}

type World = typeof import('./holds.ts') &
  typeof import('./duel.ts') &
  typeof import('./acts.ts') &
  typeof import('./hunts.ts') &
  typeof import('./attacks.ts')

/** The world of duels over a copy of the sources in which rules are left out. Throws if one of them is not there, once. */
export async function without(rules: Rule | readonly Rule[], use: (world: World) => void): Promise<void> {
  mkdirSync(join(ROOT, 'cache'), { recursive: true })
  const copy = mkdtempSync(join(ROOT, 'cache/rules-'))
  try {
    cpSync(join(ROOT, 'src'), join(copy, 'src'), { recursive: true })
    cpSync(join(ROOT, 'test/channel'), join(copy, 'test/channel'), { recursive: true })
    cpSync(join(ROOT, 'test/world.ts'), join(copy, 'test/world.ts'))
    writeFileSync(join(copy, 'package.json'), '{ "type": "module" }')
    for (const rule of [rules].flat()) leaveOut(join(copy, 'src/core/channel', rule.file), rule)
    const names = ['holds', 'duel', 'acts', 'hunts', 'attacks']
    const files = names.map((name) => pathToFileURL(join(copy, `test/channel/${name}.ts`)).href)
    const parts = await Promise.all(files.map((file) => import(file)))
    use(Object.assign({}, ...parts) as World)
  } finally {
    rmSync(copy, { recursive: true })
  }
}

function leaveOut(path: string, { rule, instead }: Rule): void {
  const parts = readFileSync(path, 'utf8').split(rule)
  if (parts.length !== 2) throw new Error(`${path} has ${parts.length - 1} times: ${rule}`)
  writeFileSync(path, parts.join(instead))
}
