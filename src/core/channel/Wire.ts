import type { Plain } from '../base/Step.ts'
import { readLot } from './Lot.ts'
import { isMessage, type Message } from './Message.ts'
import { packChanges, packItems, unpackChanges, unpackItems } from './Packed.ts'

/** A message as it travels: its lists are packed, for they may be long. */
export function toWire(message: Message): Plain {
  if (message.type === 'request') return { ...message, changes: packChanges(message.changes) } as unknown as Plain
  if (message.type === 'ahead') return { type: 'ahead', payments: message.lot.packed }
  if (message.type === 'propose') return { ...message, items: packItems(message.items) } as unknown as Plain
  return message as unknown as Plain
}

/** The message that a value from a wire is, or undefined if it is none: every field is of its type and in its bounds, and there are no others. */
export function asMessage(value: unknown): Message | undefined {
  const { type, changes, items, payments, ...more } = (value ?? {}) as Readonly<Record<string, unknown>>
  let message = value
  if (type === 'request') message = { ...(value as object), changes: unpackChanges(changes) }
  else if (type === 'ahead') message = { ...more, type, lot: readLot(payments) }
  else if (type === 'propose') message = { ...(value as object), items: unpackItems(items) }
  return isMessage(message) ? message : undefined
}
