import type { ChannelCall } from './Call.ts'

/**
 * The last second in which a call is of use, as far as that is known: `deadline` is the running clock's (0 if there is
 * none), `now` the newest block's time. A reveal is of use until its locks expire, and asked for shortly before that.
 */
export function usefulUntil(call: ChannelCall, deadline: number, now: number): number | undefined {
  switch (call.verb) {
    case 'answer':
    case 'conclude':
      return deadline >= now && deadline > 0 ? deadline : undefined
    case 'withdraw':
      return call.deadline
    case 'reveal':
      return now
    default:
      return undefined
  }
}
