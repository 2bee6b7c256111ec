import fc from 'fast-check'
import type { Plain } from '../../src/core/base/Step.ts'
import { Fault } from '../../src/edge/Fault.ts'

/** Any text, and the texts that a careless codec would take for numbers. */
export const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string().map((s) => `#${s}`),
  fc.constantFrom('', '#', '##', '#1', '#-1'),
)

/** Any plain value that holds no other. */
export const leaf: fc.Arbitrary<Plain> = fc.oneof(
  text,
  fc.bigInt(),
  fc.bigInt(-(2n ** 300n), 2n ** 300n),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.integer(),
  fc.boolean(),
  fc.constant(null),
)

const field = fc.oneof(text, fc.constantFrom('__proto__', 'constructor', 'toString', '0'))

/** Any plain data, hostile texts and field names included. */
export const plain: fc.Arbitrary<Plain> = fc.letrec<{ value: Plain }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 5 },
    leaf,
    fc.uint8Array(),
    fc.array(tie('value')),
    fc.array(fc.tuple(field, tie('value'))).map((entries) => Object.fromEntries(entries)),
  ),
})).value

/** The fault that a function throws; any other error passes through. */
export function faultOf(run: () => unknown): Fault {
  try {
    run()
  } catch (why) {
    if (why instanceof Fault) return why
    throw why
  }
  throw new Error('no fault')
}

/** The fault that a promise rejects with; any other error passes through. */
export async function faultIn(promise: Promise<unknown>): Promise<Fault> {
  const why = await promise.then(
    () => new Error('no fault'),
    (thrown) => thrown,
  )
  if (why instanceof Fault) return why
  throw why
}
