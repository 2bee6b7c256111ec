import { type Files, under } from './files.ts'

/** A parameter, or a field of a struct, in an ABI. */
export interface Param {
  readonly name: string
  readonly type: string
  readonly internalType?: string
  readonly components?: readonly Param[]
}

/** One entry of an ABI. */
export interface Entry {
  readonly type: 'function' | 'event' | 'error' | 'constructor' | 'fallback' | 'receive'
  readonly name: string
  readonly inputs?: readonly Param[]
  readonly outputs?: readonly Param[]
}

/** A built contract: where it is written, its name, its ABI. */
export interface Artifact {
  readonly sourceName: string
  readonly contractName: string
  readonly abi: readonly Entry[]
  readonly bytecode: string
}

/** The artifacts of a folder of contracts, or of all that are meant to be deployed. */
export function artifactsOf(files: Files, folder?: 'base' | 'channel' | 'plasma'): readonly Artifact[] {
  const found = under(files, 'artifacts/contracts', '.json').map(([, text]) => JSON.parse(text) as Artifact)
  return found.filter(({ sourceName }) => {
    if (folder) return sourceName.startsWith(`contracts/${folder}/`)
    return !sourceName.startsWith('contracts/test/')
  })
}

/** The entries of one kind in several ABIs, by name; the same name with other parameters is kept apart. */
export function entriesOf(artifacts: readonly Artifact[], type: Entry['type']): ReadonlyMap<string, readonly Entry[]> {
  const byName = new Map<string, Entry[]>()
  for (const entry of artifacts.flatMap(({ abi }) => abi)) {
    if (entry.type !== type) continue
    const known = byName.get(entry.name) ?? []
    if (!known.some((other) => JSON.stringify(other) === JSON.stringify(entry))) known.push(entry)
    byName.set(entry.name, known)
  }
  return byName
}

/** Every struct that crosses an ABI: name -> fields in order. */
export function structsOf(artifacts: readonly Artifact[]): ReadonlyMap<string, readonly Param[]> {
  const structs = new Map<string, readonly Param[]>()
  const visit = (param: Param): void => {
    if (!param.components) return
    structs.set(structName(param), param.components)
    param.components.forEach(visit)
  }
  for (const { inputs, outputs } of artifacts.flatMap(({ abi }) => abi))
    for (const p of [...(inputs ?? []), ...(outputs ?? [])]) visit(p)
  return structs
}

function structName(param: Param): string {
  return /(\w+)(?:\[\d*\])*$/.exec(param.internalType ?? '')?.[1] ?? '?'
}

/** The TypeScript type that stands for a Solidity one. */
export function twinType(param: Param): string {
  if (param.type.endsWith(']')) {
    const cut = (text: string): string => text.replace(/\[\d*\]$/, '')
    return `readonly ${twinType({ ...param, type: cut(param.type), internalType: cut(param.internalType ?? '') })}[]`
  }
  if (param.type === 'tuple') return structName(param)
  if (param.type === 'bool') return 'boolean'
  const width = /^u?int(\d+)$/.exec(param.type)?.[1]
  if (width === undefined) return param.type === 'string' ? 'string' : 'Hex'
  return Number(width) <= 40 ? 'number' : 'bigint'
}
