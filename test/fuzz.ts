import fc from 'fast-check'

/** How many times the usual number of random runs; `npm run test:deep` sets 20. */
export const depth = Number(process.env.KERROS_DEPTH ?? '1')

/** The seed of every random run in TypeScript: printed once, set it with KERROS_SEED to run the same again. */
export const seed = Number(BigInt(process.env.KERROS_SEED ?? '0x6b6572726f73') & 0x7fffffffn)

console.log(`  random runs: seed ${seed} (KERROS_SEED), depth ${depth} (KERROS_DEPTH)`)

/** fast-check's parameters for a property that takes `runs` random runs at depth 1. */
export function runs(count: number): { numRuns: number; seed: number } {
  return { numRuns: Math.ceil(count * depth), seed }
}

/** 20 random bytes as an address, 32 as a word, a private key that secp256k1 accepts. */
export const arbitrary = {
  address: fc.uint8Array({ minLength: 20, maxLength: 20 }).map(hex),
  word: fc.uint8Array({ minLength: 32, maxLength: 32 }).map(hex),
  key: fc.bigInt(1n, 2n ** 255n).map((n): `0x${string}` => `0x${n.toString(16).padStart(64, '0')}`),
}

function hex(bytes: Uint8Array): `0x${string}` {
  return `0x${Buffer.from(bytes).toString('hex')}`
}
