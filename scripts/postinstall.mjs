// npm skips a platform package whose "engines" the running Node does not meet. Hardhat's EVM is such a package, so
// an install driven by Node 20 ends without it. This step notices and fetches it with the Node 24 that kerros pins.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const pinnedNode = join(root, 'node_modules', 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node')
const require = createRequire(import.meta.url)

/** True if the native EVM can be loaded from where Hardhat will look for it, by the Node that will run Hardhat. */
function evmLoads() {
  const load = `require('module').createRequire(${JSON.stringify(require.resolve('hardhat/package.json'))})('@nomicfoundation/edr')`
  return spawnSync(pinnedNode, ['-e', load], { stdio: 'ignore' }).status === 0
}

function fail(message) {
  console.error(`kerros postinstall: ${message}`)
  process.exit(1)
}

if (!existsSync(pinnedNode)) fail('the pinned Node 24 is missing: run npm ci with install scripts allowed')
if (!evmLoads()) {
  const npm = process.env.npm_execpath ?? fail('run this through npm (npm ci)')
  const install = [npm, 'install', '--no-save', '--ignore-scripts', '--no-audit', '--no-fund']
  const done = spawnSync(pinnedNode, install, { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] })
  if (done.status !== 0 || !evmLoads()) fail("Hardhat's EVM has no build for this platform, or npm could not fetch it")
}
