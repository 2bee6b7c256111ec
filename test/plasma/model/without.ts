import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { gameOf } from './explorer.ts'
import type { Game, Model } from './realm.ts'
import type { Cut, Ruled } from './ruled.ts'

const ROOT = join(import.meta.dirname, '../../..')
const BASE = pathToFileURL(join(ROOT, 'src/core/base')).href

/** A rule's own script, played without the rule. */
export async function unruled({ cuts, manners = {}, script, instead = {} }: Ruled): Promise<Game> {
  const model = cuts ? { model: await without(cuts) } : {}
  return gameOf({ ...script, ...instead }, { ...model, manners })
}

/** The court's model with these cuts. Throws if one of them is not there, once. */
async function without(cuts: readonly Cut[]): Promise<Model> {
  mkdirSync(join(ROOT, 'cache'), { recursive: true })
  const copy = mkdtempSync(join(ROOT, 'cache/plasma-'))
  try {
    cpSync(join(ROOT, 'src/core/plasma'), copy, { recursive: true })
    writeFileSync(join(copy, 'package.json'), '{ "type": "module" }')
    for (const cut of cuts) leaveOut(join(copy, cut.file), cut)
    for (const file of readdirSync(copy)) pointToBase(join(copy, file))
    const made = (await import(pathToFileURL(join(copy, 'RootChain.ts')).href)) as { readonly rootChain: Model }
    return made.rootChain
  } finally {
    rmSync(copy, { recursive: true })
  }
}

function leaveOut(path: string, { rule, instead }: Cut): void {
  const parts = readFileSync(path, 'utf8').split(rule)
  if (parts.length !== 2) throw new Error(`${path} has ${parts.length - 1} times: ${rule}`)
  writeFileSync(path, parts.join(instead))
}

/** What the room below says stays the same, and is loaded once. */
function pointToBase(path: string): void {
  writeFileSync(path, readFileSync(path, 'utf8').replaceAll("from '../base/", `from '${BASE}/`))
}
