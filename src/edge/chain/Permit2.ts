import { Permit2StandIn__factory } from '../../../typechain-types/index.ts'
import type { Hex } from '../../core/base/Bytes.ts'
import { PERMIT2 } from '../../core/channel/Authorization.ts'
import { Fault, reason } from '../Fault.ts'
import type { Node } from './Node.ts'

/**
 * Sees to it that something answers as Permit2 at its address: what is there stays, and a local chain that has nothing
 * gets a stand-in. Faults: NotDeployed if the node cannot plant code, as no public chain's node can.
 */
export async function plantPermit2(node: Node): Promise<void> {
  if ((await codeAt(node)) !== '0x') return
  try {
    // Creation code that is called and not sent returns what it would deploy, and leaves no trace.
    const code = await node.send('eth_call', [{ data: Permit2StandIn__factory.bytecode }, 'latest'])
    await node.send('hardhat_setCode', [PERMIT2, code])
  } catch (why) {
    throw absent(reason(why).split('\n')[0]!, why)
  }
  if ((await codeAt(node)) === '0x') throw absent('the node took the code and does not have it')
}

async function codeAt(node: Node): Promise<Hex> {
  return (await node.send('eth_getCode', [PERMIT2, 'latest'])) as Hex
}

function absent(what: string, why?: unknown): Fault {
  return new Fault(
    'NotDeployed',
    `there is no Permit2 at ${PERMIT2} and this node cannot plant one (${what}); pay by allowance, or use a chain that has it`,
    why,
  )
}
