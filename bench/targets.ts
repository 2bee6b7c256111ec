import type { Figures } from './snapshot.ts'

/** The most gas that a verb shall cost, by key of snapshots/gas.json. */
export const GAS_TARGETS: Figures = {
  'channel.open.eth': 46_400,
  'channel.open.erc20': 69_300,
  'channel.deposit.eth': 29_400,
  'channel.deposit.erc20': 52_200,
  'channel.conclude.eth': 55_500,
  'channel.conclude.erc20': 62_500,
  'channel.conclude.eth.relayed': 61_500,
  'channel.conclude.erc20.relayed': 67_500,
  'channel.challenge.eth': 57_000,
  'channel.challenge.erc20': 57_000,
  'channel.answer.eth': 40_500,
  'channel.answer.erc20': 40_500,
  'channel.answer.eth.relayed': 45_500,
  'channel.answer.erc20.relayed': 45_500,
  'channel.settle.eth': 49_000,
  'channel.settle.erc20': 56_500,
  'channel.unilateral.eth': 106_000,
  'channel.unilateral.erc20': 113_500,
  'channel.deploy': 3_000_000,
  'plasma.deposit.eth': 55_000,
  'plasma.commit': 52_500,
  'plasma.exit.deposit': 60_000,
  'plasma.exit.tx': 80_000,
  'plasma.exit.young': 112_000,
  'plasma.challenge': 55_000,
  'plasma.challenge.included': 70_000,
  'plasma.process': 37_000,
  'plasma.process.deposit': 21_000,
}

/** The least that the clients shall do, by key of snapshots/speed.json: so many a second, or milliseconds (`.p50`, `.p99`). */
export const SPEED_TARGETS: Figures = {
  'channel.pay.serial': 800,
  'channel.pay.serial.p50': 1.2,
  'channel.pay.pipelined': 200_000,
  'plasma.ingest': 15_000,
  'plasma.ingest.http': 8_000,
  'plasma.seal': 250,
  'plasma.watch': 15_000,
}
