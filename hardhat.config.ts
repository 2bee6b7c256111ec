import { createRequire } from 'node:module'
import { availableParallelism } from 'node:os'
import hardhatToolboxMochaEthers from '@nomicfoundation/hardhat-toolbox-mocha-ethers'
import { defineConfig } from 'hardhat/config'
import type { HardhatPlugin } from 'hardhat/types/plugins'
import kerros from './src/task/Plugin.ts'

const compiler = createRequire(import.meta.url).resolve('solc/soljson.js')

/** The compiler with its optimizer set to what an opcode runs so many times: fewer make smaller code. */
function compiledFor(runs: number) {
  return {
    version: '0.8.37',
    path: compiler,
    settings: {
      viaIR: true,
      optimizer: { enabled: true, runs },
      evmVersion: 'osaka',
      metadata: { bytecodeHash: 'none' },
    },
  }
}

/** How many times the usual number of random runs: 1 for `npm test`, 20 for `npm run test:deep`. */
const depth = Number(process.env.KERROS_DEPTH ?? '1')
/** Seed of every random run; printed by the tests, settable from outside. */
const seed = process.env.KERROS_SEED ?? '0x6b6572726f73'

/** Artifacts are found in whatever order the disk answers; the types generated from them must not depend on it. */
const sorted: HardhatPlugin = {
  id: 'kerros-sorted-types',
  hookHandlers: {
    solidity: async () => ({
      default: async () => ({
        processArtifactsAfterSuccessfulBuild: async (_context, paths) => void (paths as string[]).sort(),
        // A compiler for each core, not for all but one.
        build: (context, paths, options, next) =>
          next(context, paths, { concurrency: availableParallelism(), ...options }),
      }),
    }),
  },
}

export default defineConfig({
  // In this order: handlers run in the order of their plugins, and the toolbox generates the types.
  plugins: [sorted, hardhatToolboxMochaEthers, kerros],
  solidity: {
    profiles: {
      default: {
        compilers: [compiledFor(20_000)],
        // Two contracts, and the test that makes them, would not fit into what a chain takes.
        overrides: Object.fromEntries(
          ['contracts/plasma/RootChain.sol', 'contracts/plasma/RootChainCode.sol', 'test/plasma/RootChain.t.sol'].map(
            (path) => [path, compiledFor(200)],
          ),
        ),
      },
    },
  },
  networks: {
    // The chain in process: tests, benches and the demo.
    default: { type: 'edr-simulated', hardfork: 'osaka', allowBlocksWithSameTimestamp: false },
    // `npm run chain` serves it.
    localhost: { type: 'http', url: process.env.KERROS_RPC ?? 'http://127.0.0.1:8545' },
  },
  typechain: { outDir: 'typechain-types', tsNocheck: false },
  // Helpers that are never deployed are not what the tests have to cover.
  coverage: { skipFiles: ['contracts/test/**'] },
  paths: {
    tests: { mocha: 'test', solidity: 'test' },
    // Deployments are recorded under it; tests use a folder of their own.
    ignition: process.env.KERROS_IGNITION ?? 'ignition',
  },
  test: {
    mocha: { timeout: 600_000, slow: 60_000, forbidOnly: true, forbidPending: true },
    solidity: {
      fuzz: { runs: 256 * depth, seed },
      invariant: { runs: 256 * depth, depth: 100, failOnRevert: true },
    },
  },
})
