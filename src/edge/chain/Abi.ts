import type { ErrorFragment, Interface, ParamType } from 'ethers'
import type { Hex } from '../../core/base/Bytes.ts'
import { type Plain, Refusal } from '../../core/base/Step.ts'
import { Fault } from '../Fault.ts'

/** A log as layer 1 serves it. */
export interface Log {
  readonly topics: readonly string[]
  readonly data: string
}

/** The transaction data of a call: its fields by the names of the verb's parameters, structs as objects. */
export function dataOf(abi: Interface, call: { readonly verb: string }): Hex {
  const verb = abi.getFunction(call.verb)
  if (!verb) throw new TypeError(`the contract has no verb ${call.verb}`)
  const fields = call as unknown as Readonly<Record<string, unknown>>
  const args = verb.inputs.map(({ name }) => {
    if (!(name in fields)) throw new TypeError(`${call.verb} needs ${name}`)
    return fields[name]
  })
  return abi.encodeFunctionData(verb, args) as Hex
}

/** The event in a log as plain data with its name, or undefined if the contract's interface does not have it. */
export function eventOf(abi: Interface, log: Log): { readonly name: string } | undefined {
  const parsed = abi.parseLog(log)
  return parsed ? { name: parsed.name, ...fieldsOf(parsed.fragment.inputs, parsed.args) } : undefined
}

/** What a contract's revert means: the Refusal it names, or a fault if it named none that its interface has. */
export function refusalOf(abi: Interface, data: string): Refusal | Fault {
  const parsed = data.length >= 10 ? abi.parseError(data) : null
  if (!parsed)
    return new Fault('CallFailed', `the contract refused without a name that is known here (${data.slice(0, 10)})`)
  if (isBuiltIn(parsed.fragment))
    return new Fault('CallFailed', `the contract failed: ${parsed.name}(${parsed.args[0]})`)
  const args = parsed.fragment.inputs.map((type, i) => plainOf(type, parsed.args[i]))
  return new Refusal(parsed.name, ...(args as ConstructorParameters<typeof Refusal>[1][]))
}

function isBuiltIn({ name }: ErrorFragment): boolean {
  return name === 'Error' || name === 'Panic'
}

function fieldsOf(types: readonly ParamType[], values: ArrayLike<unknown>): { readonly [field: string]: Plain } {
  return Object.fromEntries(types.map((type, i) => [type.name, plainOf(type, values[i])]))
}

/** Numbers of at most 40 bits are `number`, wider ones `bigint`; bytes and addresses lowercase Hex. */
function plainOf(type: ParamType, value: unknown): Plain {
  if (type.arrayChildren) return [...(value as Iterable<unknown>)].map((item) => plainOf(type.arrayChildren!, item))
  if (type.components) return fieldsOf(type.components, value as ArrayLike<unknown>)
  const bits = /^u?int(\d+)$/.exec(type.type)?.[1]
  if (bits) return Number(bits) <= 40 ? Number(value) : BigInt(value as bigint)
  if (type.type === 'address' || type.type.startsWith('bytes')) return String(value).toLowerCase()
  return value as Plain
}
