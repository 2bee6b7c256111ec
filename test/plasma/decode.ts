import type { ParamType } from 'ethers'

/** Decoded ABI values by their names, as the core writes them. */
export function named(types: readonly ParamType[], values: readonly unknown[]): Record<string, unknown> {
  return Object.fromEntries(types.map((type, i) => [type.name, plain(type, values[i])]))
}

/** A decoded ABI value as the core writes it: small integers as numbers, addresses in lower case, tuples as objects. */
export function plain(type: ParamType, value: unknown): unknown {
  if (type.isArray()) return (value as unknown[]).map((item) => plain(type.arrayChildren, item))
  if (type.isTuple()) return named(type.components, value as unknown[])
  if (/^u?int(8|16|24|32|40)$/.test(type.type)) return Number(value)
  return type.type === 'address' ? String(value).toLowerCase() : value
}
