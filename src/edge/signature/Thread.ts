// The thread of a checker (Threads.ts): checks what it is handed, in order.
import { parentPort } from 'node:worker_threads'
import type { Domain } from '../../core/base/Signature.ts'
import { check } from '../../core/plasma/Packed.ts'

parentPort?.on('message', ({ court, packed }: { readonly court: Domain; readonly packed: Uint8Array }) => {
  const checked = check(court, packed)
  parentPort?.postMessage(checked, [checked.buffer as ArrayBuffer])
})
