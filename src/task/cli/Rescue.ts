import { Wallet } from 'ethers'
import type { RescueFile } from '../../core/channel/Rescue.ts'
import { channelChain } from '../../edge/chain/ChannelChain.ts'
import { httpNode, type Node } from '../../edge/chain/Node.ts'
import { reason } from '../../edge/Fault.ts'
import { readRescue } from '../../edge/RescueFile.ts'
import { type Rescued, type RescueProgress, rescue as rescueFrom } from '../../role/Rescue.ts'
import { type Answer, type Call, option } from './Command.ts'
import { readNamed } from './File.ts'
import { keyFrom } from './Key.ts'
import { formatMoney, type Unit } from './Money.ts'
import { confirmationsOn, given } from './Settings.ts'
import { formatMoment } from './Time.ts'
import { Misuse } from './Trouble.ts'
import { unitOn } from './Units.ts'

/** Ends a channel from its file, with nothing else than a chain and the key. Stopped and run again, it goes on. */
export async function rescue(call: Call): Promise<Answer> {
  const file = readRescue(readNamed(call.args.FILE!))
  const { rpc, confirmations } = given(call)
  if (rpc === undefined) throw new Misuse('kerros channel rescue needs a node of layer 1: --rpc URL, or KERROS_RPC')
  const keyFile = option(call, 'key-file')
  if (keyFile === undefined)
    throw new Misuse('kerros channel rescue needs --key-file FILE, which holds the key of your side')
  const provider = await httpNode(rpc, file.chainId)
  try {
    const key = await keyFrom(call, keyFile)
    const chain = await channelChain({ provider, signer: new Wallet(key, provider), court: file.court })
    const unit = await unitOr(provider, file)
    const onProgress = (progress: RescueProgress) => call.say(words(progress, unit))
    const depth = confirmations ?? confirmationsOn(Number(file.chainId))
    const rescued = await rescueFrom(file, { chain, key, confirmations: depth, onProgress })
    return { json: { side: file.side, ...rescued }, text: endOf(file, rescued, unit) }
  } finally {
    provider.destroy()
  }
}

/** A token that does not tell its decimals must not keep anybody from the money. */
function unitOr(node: Node, { channel: { asset } }: RescueFile): Promise<Unit> {
  return unitOn(node, asset).catch(() => ({ asset, symbol: 'smallest units', decimals: 0 }))
}

function words(progress: RescueProgress, unit: Unit): string {
  switch (progress.name) {
    case 'read':
      return `Read the chain up to block ${progress.block}.`
    case 'waits':
      return `Nothing is to be done before the period is over, ${formatMoment(progress.until, Date.now() / 1000)}.`
    case 'sends':
      return `Sends ${progress.verb}.`
    case 'mined':
      return `${progress.verb} is in block ${progress.receipt.block} (${progress.receipt.hash}).`
    case 'failed':
      return `${progress.verb} was not mined (${reason(progress.why).split('\n')[0]}); the next block decides again.`
    case 'paid':
      return `The court has paid ${formatMoney(progress.payA, unit)} to A and ${formatMoney(progress.payB, unit)} to B.`
  }
}

function endOf({ side, channel }: RescueFile, { payA, payB, locksUnknown }: Rescued, unit: Unit): string {
  const mine = formatMoney(side === 'a' ? payA : payB, unit)
  const open = locksUnknown ? ' Locks that the chain no longer tells may be open: settle them by hand.' : ''
  return `Rescued: ${mine} went to ${channel[side].owner}.${open}`
}
