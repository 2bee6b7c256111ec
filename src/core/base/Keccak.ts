// keccak-256 as WebAssembly that is put together here: many pieces are hashed in one call, where they lie. Nothing of it
// is fetched or read; the program below is all there is.

/** Numbers of bits by which the lanes (x, y) are turned, at x + 5y. */
const TURNS = [0, 1, 62, 28, 27, 36, 44, 6, 55, 20, 3, 10, 43, 25, 39, 41, 45, 15, 21, 8, 18, 2, 61, 56, 14]
const ROUNDS = 24
/** Bytes that one permutation takes in. */
const RATE = 136
const LANES = RATE / 8

// Memory: round constants, state, the last block of a piece, one hash, and what is hashed.
const CONSTANTS = 0
const STATE = 256
const BLOCK = 512
const PAGE = 65_536

/** The round constants: a shift register of eight bits gives seven bits of each. */
function constants(): readonly bigint[] {
  let register = 1
  return Array.from({ length: ROUNDS }, () => {
    let constant = 0n
    for (let bit = 0; bit < 7; bit++) {
      if (register & 1) constant |= 1n << BigInt(2 ** bit - 1)
      register = register & 0x80 ? ((register << 1) ^ 0x171) & 0xff : register << 1
    }
    return constant
  })
}

type Code = readonly number[]

function leb(value: number): Code {
  return value < 128 ? [value] : [(value & 127) | 128, ...leb(value >>> 7)]
}

/** As `leb`, of a number that may be negative. */
function sleb(value: number): Code {
  const low = value & 127
  const rest = value >> 7
  const isDone = (rest === 0 && !(low & 64)) || (rest === -1 && low & 64)
  return isDone ? [low] : [low | 128, ...sleb(rest)]
}

const get = (local: number): Code => [0x20, ...leb(local)]
const set = (local: number): Code => [0x21, ...leb(local)]
const number = (value: number): Code => [0x41, ...sleb(value)]
const load64 = (offset: number): Code => [0x29, 3, ...leb(offset)]
const store64 = (offset: number): Code => [0x37, 3, ...leb(offset)]
const load32 = (offset: number): Code => [0x28, 0, ...leb(offset)]
const turn = (bits: number): Code => (bits === 0 ? [] : [0x42, ...sleb(bits), 0x89])
const [XOR, AND, ADD, SUB, LESS] = [[0x85], [0x83], [0x6a], [0x6b], [0x49]] as const
const NOT: Code = [0x42, 0x7f, ...XOR]
const BLOCK_BEGIN: Code = [0x02, 0x40]
const LOOP: Code = [0x03, 0x40]
const END: Code = [0x0b]
const AGAIN: Code = [0x0d, 0]
const BREAK: Code = [0x0d, 1]
const FILL: Code = [0xfc, 0x0b, 0]
const COPY: Code = [0xfc, 0x0a, 0, 0]

const each = (count: number, make: (i: number) => Code): Code => Array.from({ length: count }, (_, i) => make(i)).flat()

/** The permutation of the state in memory. Locals: 25 lanes, 25 turned ones, 5 columns, 5 of what is added, the round. */
function permute(): Code {
  const [lane, turned, column, added, round] = [0, 25, 50, 55, 60]
  const sum = (x: number) => [
    ...get(lane + x),
    ...each(4, (y) => [...get(lane + x + 5 * y + 5), ...XOR]),
    ...set(column + x),
  ]
  const add = (x: number) => {
    const [left, right] = [get(column + ((x + 4) % 5)), get(column + ((x + 1) % 5))]
    return [...left, ...right, ...turn(1), ...XOR, ...set(added + x)]
  }
  const move = (i: number) => {
    const [x, y] = [i % 5, Math.floor(i / 5)]
    const to = y + 5 * ((2 * x + 3 * y) % 5)
    return [...get(lane + i), ...get(added + x), ...XOR, ...turn(TURNS[i]!), ...set(turned + to)]
  }
  const mix = (i: number) => {
    const row = i - (i % 5)
    const [next, over] = [row + ((i + 1) % 5), row + ((i + 2) % 5)]
    const mixed = [...get(turned + i), ...get(turned + next), ...NOT, ...get(turned + over), ...AND, ...XOR]
    return [...mixed, ...(i === 0 ? [...get(round), ...load64(CONSTANTS), ...XOR] : []), ...set(lane + i)]
  }
  return [
    ...each(25, (i) => [...number(0), ...load64(STATE + 8 * i), ...set(lane + i)]),
    ...LOOP,
    ...each(5, sum),
    ...each(5, add),
    ...each(25, move),
    ...each(25, mix),
    ...[...get(round), ...number(8), ...ADD, 0x22, ...leb(round), ...number(8 * ROUNDS), ...LESS, ...AGAIN],
    ...END,
    ...each(25, (i) => [...number(0), ...get(lane + i), ...store64(STATE + 8 * i)]),
    ...END,
  ]
}

/** Adds the block at the address in a local to the state, and permutes it. */
function absorb(local: number): Code {
  const lane = (i: number) => [
    ...number(0),
    ...get(local),
    ...load64(8 * i),
    ...number(0),
    ...load64(STATE + 8 * i),
    ...XOR,
    ...store64(STATE + 8 * i),
  ]
  return [...each(LANES, lane), 0x10, 0]
}

/** hash(from, length, to): the hash of the bytes at `from` is written at `to`. */
function hash(): Code {
  const [from, length, to, block] = [0, 1, 2, 3]
  return [
    ...[...number(STATE), ...number(0), ...number(200), ...FILL],
    ...[...BLOCK_BEGIN, ...LOOP, ...get(length), ...number(RATE), ...LESS, ...BREAK, ...absorb(from)],
    ...[...get(from), ...number(RATE), ...ADD, ...set(from), ...get(length), ...number(RATE), ...SUB, ...set(length)],
    ...[0x0c, 0, ...END, ...END],
    ...[...number(BLOCK), ...number(0), ...number(RATE), ...FILL],
    ...[...number(BLOCK), ...get(from), ...get(length), ...COPY],
    ...[...get(length), ...number(1), 0x3a, 0, ...leb(BLOCK)],
    ...[
      ...number(0),
      ...number(0),
      0x2d,
      0,
      ...leb(BLOCK + RATE - 1),
      ...number(0x80),
      0x72,
      0x3a,
      0,
      ...leb(BLOCK + RATE - 1),
    ],
    ...[...number(BLOCK), ...set(block), ...absorb(block)],
    ...[...get(to), ...number(STATE), ...number(32), ...COPY, ...END],
  ]
}

/** each(from, skip, ends, count, to): of pieces one after another, each ends where a number at `ends` says, counted from `from`. */
function hashEach(): Code {
  const [from, skip, ends, count, to, start, end] = [0, 1, 2, 3, 4, 5, 6]
  return [
    ...[...BLOCK_BEGIN, ...LOOP, ...get(count), 0x45, ...BREAK],
    ...[...get(ends), ...load32(0), ...set(end)],
    ...[...get(from), ...get(start), ...ADD, ...get(skip), ...ADD],
    ...[...get(end), ...get(start), ...SUB, ...get(skip), ...SUB, ...get(to), 0x10, 1],
    ...[...get(end), ...set(start)],
    ...[...get(ends), ...number(4), ...ADD, ...set(ends), ...get(to), ...number(32), ...ADD, ...set(to)],
    ...[...get(count), ...number(1), ...SUB, ...set(count), 0x0c, 0, ...END, ...END, ...END],
  ]
}

const section = (id: number, body: Code): Code => [id, ...leb(body.length), ...body]
const vector = (parts: readonly Code[]): Code => [...leb(parts.length), ...parts.flat()]
const [I32, I64] = [0x7f, 0x7e]
const takes = (count: number): Code => [0x60, ...leb(count), ...Array<number>(count).fill(I32), 0]
const locals = (...groups: readonly Code[]): Code => vector(groups)
const body = (own: Code, code: Code): Code => [...leb(own.length + code.length), ...own, ...code]
const exported = (name: string, kind: number, index: number): Code => [
  ...vector([...name].map((letter) => [letter.charCodeAt(0)])),
  kind,
  ...leb(index),
]

function program(): Uint8Array<ArrayBuffer> {
  const codes = [
    body(locals([60, I64], [1, I32]), permute()),
    body(locals([1, I32]), hash()),
    body(locals([2, I32]), hashEach()),
  ]
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, vector([takes(0), takes(3), takes(5)])),
    ...section(3, vector([[0], [1], [2]])),
    ...section(5, vector([[0, 2]])),
    ...section(7, vector([exported('memory', 2, 0), exported('hash', 0, 1), exported('each', 0, 2)])),
    ...section(10, vector(codes)),
  ])
}

interface Exports {
  readonly memory: WebAssembly.Memory
  hash(from: number, length: number, to: number): void
  each(from: number, skip: number, ends: number, count: number, to: number): void
}

const {
  memory,
  hash: run,
  each: runEach,
} = new WebAssembly.Instance(new WebAssembly.Module(program())).exports as unknown as Exports
let bytes = new Uint8Array(memory.buffer)
for (const [i, constant] of constants().entries()) {
  new DataView(memory.buffer).setBigUint64(CONSTANTS + 8 * i, constant, true)
}

/** Where a single hash is written, and where what is hashed begins. */
const RESULT = 768
const INPUT = 1024

/** Room for so many bytes to be hashed: write them there, then ask for their hash before anything else is hashed. */
export function room(length: number): Uint8Array {
  const need = INPUT + length
  if (bytes.length < need) {
    memory.grow(Math.ceil((2 * need - bytes.length) / PAGE))
    bytes = new Uint8Array(memory.buffer)
  }
  return bytes.subarray(INPUT)
}

/** The hash of the first `length` bytes in the room: 32 bytes that are written again by the next one. */
export function hashed(length: number): Uint8Array {
  run(INPUT, length, RESULT)
  return bytes.subarray(RESULT, RESULT + 32)
}

/** The hashes of pieces of bytes, one after another: each begins `skip` bytes after the end of the one before. */
export function hashedEach(of: Uint8Array, skip: number, ends: readonly number[]): Uint8Array {
  const [from, to] = [of.length, of.length + 4 * ends.length]
  const at = room(to + 32 * ends.length)
  at.set(of)
  const view = new DataView(at.buffer, at.byteOffset)
  for (let i = 0; i < ends.length; i++) view.setUint32(from + 4 * i, ends[i]!, true)
  runEach(INPUT, skip, INPUT + from, ends.length, INPUT + to)
  return at.slice(to, to + 32 * ends.length)
}
