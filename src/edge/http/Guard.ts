import { isIP } from 'node:net'
import { Fault } from '../Fault.ts'
import { sameToken } from '../key/Token.ts'
import type { Problem } from './Problem.ts'

/** Who may speak to a node. */
export interface Admission {
  /** What everybody must show. */
  readonly token: string
  /** Names under which it is reached besides those of this machine. */
  readonly hosts?: readonly string[]
  /** Web pages that may call it, as their browsers name them ("https://example.org"); none unless given. */
  readonly origins?: readonly string[]
}

const HERE = ['localhost', '127.0.0.1', '[::1]']

/**
 * Why a request is not heard, or undefined. A page that a browser shows names its origin; a page whose name was made to
 * point at this machine (DNS rebinding) names another host; both are turned away before the token is looked at.
 */
export function turnedAway(headers: Headers, { token, hosts = [], origins = [] }: Admission): Problem | undefined {
  const host = nameOf(headers.get('host'))
  if (!host || ![...HERE, ...hosts].includes(host)) return FOREIGN_HOST
  const origin = headers.get('origin')
  if (origin !== null && !origins.includes(origin)) return FOREIGN_ORIGIN
  const shown = /^Bearer ([!-~]{1,256})$/i.exec(headers.get('authorization') ?? '')?.[1]
  return shown !== undefined && sameToken(shown, token) ? undefined : NO_TOKEN
}

function nameOf(host: string | null): string | undefined {
  const url = host === null ? null : URL.parse(`http://${host}`)
  return url && `${url.pathname}${url.search}${url.hash}${url.username}` === '/' ? url.hostname : undefined
}

const FOREIGN_HOST: Problem = {
  status: 403,
  code: 'ForeignHost',
  detail: 'The Host header names another machine; call 127.0.0.1, or let the node know its names.',
}
const FOREIGN_ORIGIN: Problem = {
  status: 403,
  code: 'ForeignOrigin',
  detail: 'Web pages may not call this node, unless it is started with their origin.',
}
const NO_TOKEN: Problem = {
  status: 401,
  code: 'Unauthorized',
  detail: "The header must be Authorization: Bearer and the token from the node's token file.",
}

/** Faults with BadAddress where a node would listen beyond this machine and nobody said so. */
export function requireLoopback(host: string, isPublic: boolean): void {
  const isHere = host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))
  if (isHere || isPublic) return
  throw new Fault(
    'BadAddress',
    `${host} can be reached from other machines, and the API spends money: listen on 127.0.0.1, or allow it by name`,
  )
}
