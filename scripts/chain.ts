// Serves a local chain on loopback until it is interrupted.
import { parseArgs } from 'node:util'
import hre from 'hardhat'
import { reason } from '../src/edge/Fault.ts'

const HELP = `npm run chain -- [--port N]

Serves a local chain with 20 funded accounts at http://127.0.0.1:8545 until Ctrl-C. It forgets everything when it ends.

  --port N    another port; then set KERROS_RPC=http://127.0.0.1:N for the commands that use it
  --help      this text`

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { port: { type: 'string' }, help: { type: 'boolean' } } })
  if (values.help) return console.log(HELP)
  const port = Number(values.port ?? 8545)
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    throw new Error(`"${values.port}" is no port: use 1 to 65535`)
  // A taken port reaches nobody's catch: the server throws it from a listener of its own.
  process.on('uncaughtException', (why: NodeJS.ErrnoException) => {
    fail(
      why.code === 'EADDRINUSE'
        ? `port ${port} is in use: a chain may run there; if not, choose another with --port`
        : why,
    )
  })
  await hre.tasks.getTask('node').run({ hostname: '127.0.0.1', port })
}

function fail(why: unknown): never {
  console.error(`chain: ${reason(why).split('\n')[0]}`)
  process.exit(1)
}

await main().catch(fail)
