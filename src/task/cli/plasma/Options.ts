import type { Option } from '../Command.ts'
import { PASSWORD } from '../Options.ts'

// What several commands of Plasma take.

/** The folder of Plasma. */
export const HOME: Option = {
  name: 'home',
  value: 'DIR',
  about: 'the folder of Plasma (KERROS_HOME, ~/.kerros/plasma)',
}
/** The address of layer 1. */
export const RPC: Option = { name: 'rpc', value: 'URL', about: 'a node of layer 1 (KERROS_RPC, plasma.json)' }
/** The operator's API. */
export const OPERATOR: Option = { name: 'operator', value: 'URL', about: "the operator's API (plasma.json)" }
/** What amounts are of. */
export const ASSET: Option = { name: 'asset', value: 'ASSET', about: "ETH, or a token's address (ETH)" }
/** Amounts without units. */
export const RAW: Option = {
  name: 'raw',
  about: "the amount is a whole number of the asset's smallest unit; of an ERC-721 its id",
}
/** What is in doubt, too. */
export const ANYWAY: Option = {
  name: 'anyway',
  about: 'though an open payment spends it: whoever shows that takes half of the bond',
}
/** What every command of a wallet takes. */
export const HERE = [HOME, RPC, OPERATOR, PASSWORD] as const
