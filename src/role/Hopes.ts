interface Hope {
  readonly check: () => boolean
  readonly done: () => void
  readonly failed: (why: unknown) => void
}

/** Promises that are kept as soon as a condition holds, looked at after every turn of a loop. */
export class Hopes {
  readonly #open = new Set<Hope>()
  #failure: { readonly why: unknown } | undefined

  /** Resolves with what `look` returns once `holds` is true of it. */
  until<T>(look: () => T, holds: (seen: T) => boolean): Promise<T> {
    return new Promise((done, failed) => {
      const hope = { check: () => holds(look()), done: () => done(look()), failed }
      if (this.#failure) failed(this.#failure.why)
      else if (hope.check()) hope.done()
      else this.#open.add(hope)
    })
  }

  /** Looks again after something was done. */
  checkAfter(run: () => void): void {
    run()
    for (const hope of this.#open) {
      if (!hope.check()) continue
      this.#open.delete(hope)
      hope.done()
    }
  }

  /** Nothing more will come true here; with `forGood` nothing that is hoped for later either. */
  abandon(why: unknown, forGood: boolean): void {
    if (forGood) this.#failure = { why }
    for (const { failed } of this.#open) failed(why)
    this.#open.clear()
  }
}
