// The payers' process of `plasma.ingest.http`: posts batches that are ready made, so many at a time, to the operator whose
// address it is told, and says that all were acknowledged.
import { encode } from '../../../src/edge/Json.ts'
import { payers } from './ground.ts'

const BATCH = 500
const AT_ONCE = 8

async function post(url: string, body: string): Promise<void> {
  const answer = await fetch(`${url}/v1/transactions/batch`, { method: 'POST', body })
  const text = await answer.text()
  const acknowledged = text.split('"txHash"').length - 1
  if (acknowledged !== BATCH) throw new Error(`${acknowledged} of ${BATCH} were acknowledged: ${text.slice(0, 200)}`)
}

function ready(count: number): readonly string[] {
  const { payments } = payers(count)
  const bodies: string[] = []
  for (let at = 0; at < count; at += BATCH) bodies.push(encode({ transactions: payments.slice(at, at + BATCH) }))
  return bodies
}

async function postAll(url: string, bodies: readonly string[]): Promise<void> {
  const left = bodies.values()
  const one = async () => {
    for (const body of left) await post(url, body)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, one))
}

if (import.meta.main) {
  const [url, count, warmUp] = [process.argv[2]!, Number(process.argv[3]), Number(process.argv[4])]
  const bodies = ready(count)
  await postAll(url, bodies.slice(0, warmUp / BATCH))
  const start = performance.now()
  await postAll(url, bodies.slice(warmUp / BATCH))
  process.send?.({ milliseconds: performance.now() - start })
}
