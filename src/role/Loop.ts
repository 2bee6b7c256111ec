import type { Machine, Row, Step } from '../core/base/Step.ts'

/** Where a loop saves: all rows of a batch durably, or none. */
export interface Saver {
  commit(rows: readonly Row[]): void
}

interface Turn<Input, Output> {
  readonly input: Input
  readonly done?: (outputs: readonly Output[]) => void
  readonly refused?: (why: unknown) => void
}

interface Said<Input, Output> {
  readonly turn: Turn<Input, Output> | undefined
  readonly outputs: readonly Output[]
}

/** What a loop is made of. */
export interface LoopParts<State, Input, Output> {
  readonly machine: Machine<State, Input, Output>
  readonly state: State
  readonly store: Saver
  /** What the machine does once all inputs that waited together are stepped: what they add up to is said once. */
  readonly rest?: (state: State) => Step<State, Output>
  /** Performs one output, after everything up to it is durable. */
  readonly speak: (output: Output) => void
  /** Whether an output is heard in this process only: those wait until all else is said, for others wait for that. */
  readonly isInner?: (output: Output) => boolean
  /** Told once if saving or speaking fails; the loop has stopped by then and takes no more input. */
  readonly onFailure: (why: unknown) => void
  /** Runs a function soon: setImmediate, or a simulated world's queue. */
  readonly schedule: (run: () => void) => void
  /** How many inputs share one commit at most. */
  readonly batch?: number
}

/**
 * The only loop there is: input -> step -> save -> speak. Inputs that wait together are stepped together and saved in
 * one commit; nothing is said before what it says is durable.
 */
export class Loop<State, Input, Output> {
  #state: State
  #queue: Turn<Input, Output>[] = []
  #scheduled = false
  #stopped = false
  readonly #parts: LoopParts<State, Input, Output>

  constructor(parts: LoopParts<State, Input, Output>) {
    this.#parts = parts
    this.#state = parts.state
  }

  /** The newest state; everything that made it is durable whenever no turn is running. */
  get state(): State {
    return this.#state
  }

  /** Hands over an input whose refusal is nobody's business here: a message, a block. A thrown refusal stops the loop. */
  post(input: Input): void {
    this.#enqueue({ input })
  }

  /** Hands over a command; resolves with its outputs once they are durable, rejects with the machine's refusal. */
  ask(input: Input): Promise<readonly Output[]> {
    return new Promise((done, refused) => this.#enqueue({ input, done, refused }))
  }

  /** Hands over a command whose outcome comes with an output; `refused` hears the machine's refusal, or that it stopped. */
  tell(input: Input, refused: (why: unknown) => void): void {
    this.#enqueue({ input, refused })
  }

  /** Takes no more input; what waits is refused. */
  stop(): void {
    this.#stopped = true
    for (const turn of this.#queue.splice(0)) turn.refused?.(new Error('this node has stopped'))
  }

  #enqueue(turn: Turn<Input, Output>): void {
    if (this.#stopped) turn.refused?.(new Error('this node has stopped'))
    else this.#queue.push(turn)
    this.#wake()
  }

  #wake(): void {
    if (this.#scheduled || this.#queue.length === 0) return
    this.#scheduled = true
    this.#parts.schedule(() => {
      this.#scheduled = false
      if (!this.#stopped) this.#run()
    })
  }

  #run(): void {
    const turns = this.#queue.splice(0, this.#parts.batch ?? 256)
    try {
      const said = this.#stepAll(turns)
      this.#speakAll(said)
      for (const { turn, outputs } of said) turn?.done?.(outputs)
    } catch (why) {
      for (const turn of turns) turn.refused?.(why)
      this.stop()
      this.#parts.onFailure(why)
    }
    this.#wake()
  }

  #speakAll(said: readonly Said<Input, Output>[]): void {
    const { speak, isInner = () => false } = this.#parts
    for (const { outputs } of said) for (const output of outputs) if (!isInner(output)) speak(output)
    for (const { outputs } of said) for (const output of outputs) if (isInner(output)) speak(output)
  }

  #stepAll(turns: readonly Turn<Input, Output>[]): readonly Said<Input, Output>[] {
    const said: Said<Input, Output>[] = []
    const rows: Row[] = []
    for (const turn of turns) {
      try {
        const step = this.#parts.machine(this.#state, turn.input)
        this.#state = step.state
        rows.push(...step.rows)
        if (turn.done || step.outputs.length > 0) said.push({ turn, outputs: step.outputs })
      } catch (why) {
        if (!turn.refused) throw why
        turn.refused(why)
      }
    }
    const rest = this.#parts.rest?.(this.#state)
    if (rest) {
      this.#state = rest.state
      rows.push(...rest.rows)
      said.push({ turn: undefined, outputs: rest.outputs })
    }
    if (rows.length > 0) this.#parts.store.commit(rows)
    return said
  }
}
