/** What can go wrong at an edge: everything that is not a court's or a peer's refusal. */
export type FaultCode =
  | 'Malformed'
  | 'StoreCorrupt'
  | 'StoreForeign'
  | 'StoreBusy'
  | 'StoreNewer'
  | 'StoreFailed'
  | 'StoreClosed'
  | 'ChainUnreachable'
  | 'EndpointsDiffer'
  | 'WrongNetwork'
  | 'NotDeployed'
  | 'CallFailed'
  | 'ReorgTooDeep'
  | 'Dropped'
  | 'InsufficientFunds'
  | 'GasTooDear'
  | 'PortInUse'
  | 'BadAddress'
  | 'PeerUnreachable'
  | 'TimedOut'
  | 'Unauthorized'
  | 'KeyExists'
  | 'KeyMissing'
  | 'KeyMalformed'
  | 'LooseFile'
  | 'WrongPassword'
  | 'NoPassword'

/** A named fault. Its message is one sentence for people: what was had, what was needed, what to do. */
export class Fault extends Error {
  readonly code: FaultCode
  constructor(code: FaultCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = 'Fault'
    this.code = code
  }
}

/** The text of anything thrown, for the end of a sentence. */
export function reason(why: unknown): string {
  return why instanceof Error ? why.message : String(why)
}
