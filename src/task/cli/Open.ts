import { ETHER, type Hex, isHex } from '../../core/base/Bytes.ts'
import type { ChannelView, NodeInfo, OpenRequest } from '../../edge/http/NodeApi.ts'
import { type Client, clientOf } from './Client.ts'
import { type Answer, type Call, option } from './Command.ts'
import { readOffer, writeOffer } from './Terms.ts'
import { parseDuration } from './Time.ts'
import { Misuse, Trouble } from './Trouble.ts'
import { channelText } from './View.ts'

/** Makes the terms of a channel, or takes those that the peer has made. Both sides must do one of the two. */
export async function open(call: Call): Promise<Answer> {
  const client = clientOf(call)
  const terms = option(call, 'terms')
  const info = await client.ask('node.info', {})
  const view = await client.ask('channel.open', terms === undefined ? made(call) : taken(call, terms, info))
  const offer = writeOffer({ chainId: info.chainId, court: info.court, channel: view.channel })
  return { json: { ...view, terms: offer }, text: await words(client, view, terms === undefined ? offer : undefined) }
}

function made(call: Call): OpenRequest {
  const [signer, address] = peerIn(call.args.PEER)
  const owner = option(call, 'peer-owner')
  const period = option(call, 'period')
  return {
    peer: { signer, owner: owner === undefined ? signer : addressIn(owner, '--peer-owner') },
    asset: assetIn(option(call, 'asset') ?? 'ETH'),
    ...(period === undefined ? {} : { challengePeriod: parseDuration(period) }),
    ...(address === undefined ? {} : { address }),
  }
}

function taken(call: Call, word: string, { chainId, court }: NodeInfo): OpenRequest {
  const given = ['asset', 'period', 'peer-owner'].find((name) => call.options[name] !== undefined)
  if (given) throw new Misuse(`--${given} is part of the terms that you take: leave it away, or make terms of your own`)
  const offer = readOffer(word)
  if (offer.chainId !== chainId || offer.court !== court) {
    const had = `The terms are for the court ${offer.court} on chain ${offer.chainId}`
    throw new Trouble(
      'OtherCourt',
      `${had}, and this node works with ${court} on chain ${chainId}: both must use the same one`,
    )
  }
  const address = call.args.PEER === undefined ? undefined : peerIn(call.args.PEER)[1]
  return { channel: offer.channel, ...(address === undefined ? {} : { address }) }
}

/** "0x…@host:port" or "0x…". */
function peerIn(text: string | undefined): readonly [signer: Hex, address: string | undefined] {
  if (text === undefined)
    throw new Misuse("kerros channel open needs PEER, the peer's address as its node tells it, or --terms")
  const [signer, address, more] = text.split('@')
  if (more !== undefined || address === '') throw new Misuse(`"${text}" is no peer: write it as in 0x…@127.0.0.1:7420`)
  return [addressIn(signer!, 'PEER'), address]
}

function addressIn(text: string, what: string): Hex {
  // Capital letters may carry a checksum, which the node looks at; it wants what was written.
  if (isHex(text.toLowerCase(), 20)) return text as Hex
  throw new Misuse(`"${text}" is no address: ${what} takes 0x and 40 hexadecimal digits`)
}

function assetIn(text: string): Hex {
  return /^eth(?:er)?$/i.test(text) ? ETHER : addressIn(text, '--asset (ETH, or a token)')
}

async function words(client: Client, view: ChannelView, offer: string | undefined): Promise<string> {
  const unit = await client.unit(view.channel.asset)
  const theirs = offer === undefined ? '' : `The peer must take the terms:  kerros channel open --terms ${offer}\n`
  const next = `Next: kerros channel deposit ${view.id.slice(0, 12)} 1 ${unit.symbol}, or whatever you want to put in`
  return `${channelText(view, unit)}\n${theirs}${next}`
}
