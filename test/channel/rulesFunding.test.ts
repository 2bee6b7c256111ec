import { ETHER, type Hex, slice, ZERO } from '../../src/core/base/Bytes.ts'
import { keccak, keccakText, keccakWords, sign } from '../../src/core/base/Signature.ts'
import {
  authorizationDigest,
  authorizationNonce,
  authorizedPayer,
  PERMIT2,
  permit2Digest,
  permit2Payer,
  permitDigest,
  permitFields,
  type ReceiveWithAuthorization,
  tokenSeparator,
} from '../../src/core/channel/Authorization.ts'
import type { Payer } from '../../src/core/channel/Call.ts'
import type { Channel } from '../../src/core/channel/Channel.ts'
import type { Account } from '../../src/edge/chain/LocalAccounts.ts'
import type { Node } from '../../src/edge/chain/Node.ts'
import { plantPermit2 } from '../../src/edge/chain/Permit2.ts'
import { OddToken__factory, SignedToken__factory } from '../../typechain-types/index.ts'
import { alice, bob, carol, stranger, terms, UNIT } from './stage.ts'
import { type Cut, eachIsNeeded, type Rule, type Scene, thieves, VERBS } from './without.ts'

const ASSET = 'contracts/base/Asset.sol'
const AUTHORIZATION = 'contracts/base/Authorization.sol'
/** Where a court without the rule looks for what only the attacker wants it to know. */
const TAIL = 'address(bytes20(msg.data[msg.data.length - 20:]))'
const LATE = 2n ** 40n
const AMOUNT = 5n * UNIT
const THIEVES = [stranger, carol] as const
// The order of OddToken.Manner.
const [HONEST, TAKES_FEE, KEEPS_BACK] = [0, 1, 11]
const ODD = OddToken__factory.createInterface()
const SIGNED = SignedToken__factory.createInterface()

async function ether(): Promise<Hex> {
  return ETHER
}

/** A token that alice, bob and the thieves hold, and have let a court and Permit2 take. */
async function token(scene: Scene, name: 'OddToken' | 'SignedToken', holders: readonly Account[]): Promise<Hex> {
  const { ethers } = scene.connection
  const made = await ethers.deployContract(name, { gasPrice: 0 })
  const asset = (await made.getAddress()).toLowerCase() as Hex
  for (const who of holders) {
    await scene.send(who, asset, SIGNED.encodeFunctionData('mint', [who.address, 100n * UNIT]))
    for (const spender of [scene.court, PERMIT2]) {
      await scene.send(who, asset, SIGNED.encodeFunctionData('approve', [spender, 2n ** 255n]))
    }
  }
  return asset
}
const odd = (scene: Scene) => token(scene, 'OddToken', [alice, bob, ...THIEVES])
const signed = (scene: Scene) => token(scene, 'SignedToken', [alice, bob])
/** A token whose holder, alice, has let Permit2 take it, but no court. */
async function permitted(scene: Scene): Promise<Hex> {
  await plantPermit2(scene.connection.ethers.provider as unknown as Node)
  const asset = await signed(scene)
  await scene.send(alice, asset, SIGNED.encodeFunctionData('approve', [scene.court, 0n]))
  return asset
}

/** A channel between alice and bob in which bob's five units are. */
async function funded(scene: Scene, asset: Hex): Promise<Channel> {
  const channel = terms(asset, 1)
  await scene.deposit(bob, channel, true, 5n)
  return channel
}

/** Thieves take what is booked in a channel of theirs, in which nothing was paid. */
const take = (scene: Scene, channel: Channel) => scene.conclude(channel, 0n, THIEVES)
const separator = (asset: Hex) => tokenSeparator('Kerros signed test token', '1', 31337n, asset)
const behave = (manner: number, target: Hex = ETHER, payload = '0x') =>
  ODD.encodeFunctionData('behave', [manner, target, payload])

/** A permit by which alice lets the court take five units. */
function permitOf(asset: Hex, spender: Hex) {
  const permit = { owner: alice.address, spender, value: AMOUNT, nonce: 0n, deadline: LATE }
  return permitFields(permit, sign(permitDigest(separator(asset), permit), alice.key))
}

const TRANSFER_TYPE = keccakText(
  'TransferWithAuthorization(address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce)',
)
/** What a payer signs for the verb of ERC-3009 that anybody may call. */
function transferDigest(
  asset: Hex,
  { from, to, value, validAfter, validBefore, nonce }: ReceiveWithAuthorization,
): Hex {
  const hash = keccakWords(TRANSFER_TYPE, from, to, value, validAfter, validBefore, nonce)
  return keccak('0x1901', separator(asset), hash)
}

const RULES: readonly Rule[] = [
  {
    rule: 'no sum of deposits can write the closed mark: 2^127 is refused',
    cuts: [
      {
        path: 'contracts/channel/Record.sol',
        rule: `int256 plus = SafeCast.toInt128(SafeCast.toInt256(amount));
            sum = SafeCast.toInt128(side + plus);`,
        instead: 'unchecked { sum = side + int256(amount); }',
      },
    ],
    asset: odd,
    story: async (scene, asset) => {
      const channel = await funded(scene, asset)
      await scene.send(alice, asset, ODD.encodeFunctionData('mint', [alice.address, 2n ** 127n]))
      await scene.call(alice, 'deposit', [asset, scene.id(channel), false, 2n ** 127n])
      await scene.dispute(bob, channel)
    },
    refusal: 'SafeCastOverflowedIntDowncast',
    on: 0n,
    off: -5n,
  },
  {
    rule: 'one lock covers every verb: a token that re-enters cannot have one transfer booked twice',
    cuts: [
      {
        path: 'contracts/base/Guard.sol',
        rule: 'require(_taken == 0, ReentrancyGuardReentrantCall());',
        instead: '',
      },
    ],
    asset: odd,
    story: async (scene, asset) => {
      const channel = await funded(scene, asset)
      const [one, two] = [thieves(asset, 2), thieves(asset, 3)]
      // The token itself makes the inner deposit, of its own money; the outer one moves nothing.
      const approve = ODD.encodeFunctionData('approve', [scene.court, AMOUNT])
      await scene.send(stranger, asset, ODD.encodeFunctionData('mint', [asset, AMOUNT]))
      await scene.send(stranger, asset, behave(KEEPS_BACK, asset, approve))
      await scene.send(stranger, asset, ODD.encodeFunctionData('transfer', [carol.address, 0n]))
      const inner = VERBS.encodeFunctionData('deposit', [asset, scene.id(one), false, AMOUNT])
      await scene.send(stranger, asset, behave(KEEPS_BACK, scene.court, inner))
      await scene.deposit(stranger, two, true, 5n)
      await scene.send(stranger, asset, behave(HONEST))
      for (const booked of [one, two]) await take(scene, booked)
      await scene.conclude(channel)
    },
    refusal: 'WrongTransfer',
    on: 0n,
    off: -5n,
  },
  {
    rule: 'a token is believed by its balance only, which must have grown by the amount',
    cuts: [{ path: ASSET, rule: 'require(received == amount, WrongTransfer(received, amount));', instead: '' }],
    asset: odd,
    story: async (scene, asset) => {
      const channel = await funded(scene, asset)
      await scene.send(stranger, asset, behave(TAKES_FEE))
      await scene.deposit(stranger, thieves(asset, 2), true, 5n)
      await scene.send(stranger, asset, behave(HONEST))
      await take(scene, thieves(asset, 2))
      await scene.conclude(channel)
    },
    refusal: 'WrongTransfer',
    on: 0n,
    off: -5n,
  },
  {
    rule: 'an allowance is spent for its owner only: the one who sends the transaction',
    cuts: [
      {
        path: ASSET,
        rule: 'SafeERC20.safeTransferFrom(IERC20(token), msg.sender,',
        instead: `SafeERC20.safeTransferFrom(IERC20(token), ${TAIL},`,
      },
    ],
    asset: signed,
    victim: alice,
    story: async (scene, asset) => {
      const args = [asset, scene.id(thieves(asset, 2)), false, AMOUNT]
      await scene.call(stranger, 'deposit', args, { tail: alice.address })
      await take(scene, thieves(asset, 2))
    },
    refusal: 'ERC20InsufficientAllowance',
    on: 0n,
    off: -5n,
  },
  {
    rule: 'a permit is spent for its signer only: the one who sends the transaction',
    cuts: [
      { path: AUTHORIZATION, rule: '.permit(msg.sender,', instead: `.permit(${TAIL},` },
      {
        path: ASSET,
        rule: 'SafeERC20.safeTransferFrom(IERC20(token), msg.sender,',
        instead: `SafeERC20.safeTransferFrom(IERC20(token), ${TAIL},`,
      },
    ],
    asset: permitted,
    victim: alice,
    story: async (scene, asset) => {
      const { v, r, s } = permitOf(asset, scene.court)
      const args = [asset, scene.id(thieves(asset, 2)), false, AMOUNT, LATE, v, r, s]
      await scene.call(stranger, 'depositWithPermit', args, { tail: alice.address })
      await take(scene, thieves(asset, 2))
    },
    refusal: 'ERC20InsufficientAllowance',
    on: 0n,
    off: -5n,
  },
  {
    rule: "an authorization's nonce binds it to a channel and a side",
    cuts: [
      {
        path: AUTHORIZATION,
        rule: 'return keccak256(abi.encode(channelId, toB, salt));',
        instead: 'return keccak256(abi.encode(bytes32(0), false, salt));',
      },
    ],
    asset: signed,
    victim: alice,
    story: async (scene, asset) => {
      const nonce = authorizationNonce(scene.without ? ZERO : scene.id(terms(asset, 1)), false, ZERO)
      const meant = { from: alice.address, to: scene.court, value: AMOUNT, validAfter: 0n, validBefore: LATE, nonce }
      const payer = authorizedPayer(meant, ZERO, sign(authorizationDigest(separator(asset), meant), alice.key))
      await pay(scene, thieves(asset, 2), payer)
      await take(scene, thieves(asset, 2))
    },
    refusal: 'WrongAuthorizer',
    on: 0n,
    off: -5n,
  },
  {
    rule: 'an authorization is taken by the verb that only the payee can call, so nobody uses it past the books',
    cuts: [{ path: AUTHORIZATION, rule: '.receiveWithAuthorization(', instead: '.transferWithAuthorization(' }],
    asset: signed,
    victim: alice,
    story: async (scene, asset) => {
      const nonce = authorizationNonce(scene.id(terms(asset, 1)), false, ZERO)
      const meant = { from: alice.address, to: scene.court, value: AMOUNT, validAfter: 0n, validBefore: LATE, nonce }
      const message = scene.without ? transferDigest(asset, meant) : authorizationDigest(separator(asset), meant)
      const signature = sign(message, alice.key)
      const [r, s, v] = [slice(signature, 0, 32), slice(signature, 32, 64), slice(signature, 64)]
      const verb = scene.without ? 'transferWithAuthorization' : 'receiveWithAuthorization'
      const data = SIGNED.encodeFunctionData(verb as 'receiveWithAuthorization', [
        alice.address,
        scene.court,
        AMOUNT,
        0n,
        LATE,
        nonce,
        v,
        r,
        s,
      ])
      await scene.send(stranger, asset, data)
      await pay(scene, terms(asset, 1), authorizedPayer(meant, ZERO, signature))
      await scene.conclude(terms(asset, 1))
    },
    refusal: 'NotPayee',
    on: 0n,
    off: -5n,
  },
  {
    rule: "Permit2's witness binds a permit to a channel and a side",
    cuts: [
      {
        path: AUTHORIZATION,
        rule: 'return keccak256(abi.encode(DEPOSIT_TYPE, channelId, toB));',
        instead: 'return keccak256(abi.encode(DEPOSIT_TYPE, bytes32(0), false));',
      },
    ],
    asset: permitted,
    victim: alice,
    story: async (scene, asset) => {
      const meant = scene.without ? ZERO : scene.id(terms(asset, 1))
      const permit = { permitted: { token: asset, amount: AMOUNT }, nonce: 1n, deadline: LATE }
      const signature = sign(permit2Digest(31337n, scene.court, permit, meant, false), alice.key)
      await pay(scene, thieves(asset, 2), permit2Payer(alice.address, permit, signature))
      await take(scene, thieves(asset, 2))
    },
    refusal: 'InvalidSigner',
    on: 0n,
    off: -5n,
  },
  {
    rule: "Permit2 moves the channel's token, no other",
    cuts: [
      {
        path: AUTHORIZATION,
        rule: 'uint256 before = Asset.beforePull(asset);\n        PERMIT2',
        instead: `asset = ${TAIL};\n        uint256 before = Asset.beforePull(asset);\n        PERMIT2`,
      },
    ],
    asset: async (scene) => {
      await plantPermit2(scene.connection.ethers.provider as unknown as Node)
      return signed(scene)
    },
    story: async (scene, asset) => {
      const channel = await funded(scene, asset)
      const junk = await token(scene, 'SignedToken', [stranger])
      const permit = { permitted: { token: junk, amount: AMOUNT }, nonce: 1n, deadline: LATE }
      const id = scene.id(thieves(asset, 2))
      const signature = sign(permit2Digest(31337n, scene.court, permit, id, false), stranger.key)
      await pay(scene, thieves(asset, 2), permit2Payer(stranger.address, permit, signature), junk)
      await take(scene, thieves(asset, 2))
      await scene.conclude(channel)
    },
    refusal: 'InvalidSigner',
    on: 0n,
    off: -5n,
  },
  {
    rule: 'a batch takes no ether, so that no two deposits can be made of the same',
    cuts: [
      ['contracts/channel/Adjudicator.sol', ' {'],
      ['contracts/channel/IAdjudicator.sol', ';'],
    ].map(([path, end]): Cut => {
      const head = 'function batch(bytes[] calldata calls) external'
      return { path: path!, rule: head + end, instead: `${head} payable${end}` }
    }),
    asset: ether,
    story: async (scene) => {
      const channel = await funded(scene, ETHER)
      const mine = [thieves(ETHER, 2), thieves(ETHER, 3)]
      const items = mine.map((one) => VERBS.encodeFunctionData('deposit', [ETHER, scene.id(one), true, AMOUNT]))
      await scene.call(stranger, 'batch', [items], { value: AMOUNT })
      for (const one of mine) await take(scene, one)
      await scene.conclude(channel)
    },
    refusal: 'without a word',
    on: 0n,
    off: -5n,
  },
]

/** Somebody else brings what a payer has signed to side A of a channel. */
function pay(scene: Scene, channel: Channel, payer: Payer, tail: Hex = '0x'): Promise<boolean> {
  const args = [channel.asset, scene.id(channel), false, AMOUNT, payer]
  return scene.call(stranger, 'depositWithAuthorization', args, { tail })
}

describe('a rule of deposits that is left out of the court loses money', () => eachIsNeeded(RULES))
