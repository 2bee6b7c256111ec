import { HDNodeWallet } from 'ethers'
import type { Hex } from '../../core/base/Bytes.ts'

/** An account with its key, as tests, benches and the demo use it. */
export interface Account {
  readonly address: Hex
  readonly key: Hex
}

const PHRASE = 'test test test test test test test test test test test junk'

/** The account of this index (from 0) that every local Hardhat network funds. Its key is public: never use it elsewhere. */
export function localAccount(index: number): Account {
  const wallet = HDNodeWallet.fromPhrase(PHRASE, undefined, `m/44'/60'/0'/0/${index}`)
  return { address: wallet.address.toLowerCase() as Hex, key: wallet.privateKey as Hex }
}
