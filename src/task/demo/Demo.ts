import type { NetworkConnection } from 'hardhat/types/network'
import { ETHER, type Hex } from '../../core/base/Bytes.ts'
import { channels } from './Channels.ts'
import { plasma } from './Plasma.ts'
import { type Check, checkEther, etherNow, type Row, row, table } from './Report.ts'
import { people, Town } from './Town.ts'
import { count, type Voice } from './Voice.ts'

/** What a demo came to. */
export interface Summary {
  readonly rows: readonly Row[]
  readonly checks: readonly Check[]
  /** Gas of every verb, as used: how often, and all together. */
  readonly verbs: Readonly<Record<string, { readonly calls: number; readonly gas: number }>>
  readonly deployGas: number
  readonly addresses: Readonly<Record<string, Hex>>
  /** The folder with every store. */
  readonly folder: string
}

/** Plays both protocols through on fresh courts. Nothing of it goes on when it returns. */
export async function demo(connection: NetworkConnection, voice: Voice, payments: number): Promise<Summary> {
  const town = await Town.build(connection)
  try {
    const before = await etherNow(town)
    const c = await channels(town, voice, payments)
    const p = await plasma(town, voice, Math.max(300, Math.ceil(payments / 25)))
    const sent = await town.sent()
    const checks = [...c.checks, ...p.checks, ...(await checkEther(town, before, sent, [c, p]))]
    const plainEther = await town.plainPayment(ETHER, people.alice, people.bob.address, 1n)
    const plainToken = await town.plainPayment(town.addresses.token, people.alice, people.bob.address, 1n)
    const half = BigInt(Math.floor(c.payments / 2))
    const rows = [
      row('channels', 'Adjudicator', c, sent, plainEther * (BigInt(c.payments) - half) + plainToken * half),
      row('plasma', 'RootChain', p, sent, plainEther * BigInt(p.payments)),
    ]
    const deployGas = sent.filter(({ verb }) => verb === 'deploy').reduce((sum, { gas }) => sum + Number(gas), 0)
    return { rows, checks, verbs: verbsOf(sent), deployGas, addresses: town.addresses, folder: town.folder }
  } finally {
    await town.leave()
  }
}

function verbsOf(sent: readonly { readonly verb: string; readonly gas: bigint }[]): Summary['verbs'] {
  const verbs: Record<string, { calls: number; gas: number }> = {}
  for (const { verb, gas } of sent) {
    if (!verb.includes('.')) continue
    verbs[verb] ??= { calls: 0, gas: 0 }
    verbs[verb].calls += 1
    verbs[verb].gas += Number(gas)
  }
  return verbs
}

/** The sums that are not what they must be. */
export function wrong({ checks }: Summary): readonly Check[] {
  return checks.filter(({ have, need }) => have !== need)
}

/** Tells the end of the story. */
export function conclude(summary: Summary, voice: Voice): void {
  voice.chapter('What it came to')
  for (const line of table(summary.rows).split('\n')) voice.say(line)
  for (const [verb, { calls, gas }] of Object.entries(summary.verbs)) {
    voice.say(`${verb}: ${calls} x ${count(Math.round(gas / calls))} gas`)
  }
  const bad = wrong(summary)
  for (const { what, have, need } of bad) voice.say(`WRONG: ${what}: ${have}, must be ${need}`)
  if (bad.length === 0) voice.say(`All ${summary.checks.length} balances are exactly what they must be.`)
}
