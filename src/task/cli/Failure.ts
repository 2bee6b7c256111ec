import { Refusal } from '../../core/base/Step.ts'
import { Fault, reason } from '../../edge/Fault.ts'
import { explainNode } from '../../edge/http/NodeProblem.ts'
import { Trouble } from './Trouble.ts'

/** What anything thrown means to a person: its code, and one sentence. */
export function troubleOf(why: unknown): Pick<Trouble, 'code' | 'message'> {
  if (why instanceof Trouble) return { code: why.code, message: why.message }
  if (why instanceof Fault) return { code: why.code, message: why.message }
  if (why instanceof Refusal) return { code: why.code, message: sentence(why) }
  const what = reason(why).split('\n')[0]
  const remedy = 'try again, and tell who makes it if it stays'
  return { code: 'Internal', message: `something went wrong that kerros did not expect (${what}): ${remedy}` }
}

/** What the command line calls by other names than the API. */
const SENTENCES: Readonly<Record<string, (...args: Refusal['args']) => string>> = {
  UnknownChannel: (id) => `This node has no channel ${id}: kerros channel list tells those it has`,
  UnknownPayment: (id) => `This node knows no payment ${id} of this channel: kerros channel payments tells them`,
}

/** A refusal that came over the API carries its sentence; one of this process is explained here. */
function sentence(why: Refusal): string {
  const own = SENTENCES[why.code]?.(...why.args)
  if (own) return own
  const isBare = why.message === `${why.code}(${why.args.join(', ')})`
  const text = isBare ? explainNode(why) : why.message
  return text === `${why.code}(${why.args.join(', ')})` ? `refused: ${text}` : text
}
