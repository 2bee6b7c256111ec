import { styleText } from 'node:util'

/** How the demo tells its story: to people line by line, with progress while it works; or not at all. */
export interface Voice {
  /** A heading. */
  chapter(title: string): void
  /** One sentence of what has happened. */
  say(text: string): void
  /** How far a long part is; shown in place on a terminal, every quarter elsewhere. */
  progress(what: string, done: number, total: number): void
}

/** A voice that writes to a stream. */
export function voiceOn(stream: NodeJS.WriteStream): Voice {
  const started = performance.now()
  let quarter = 0
  const clock = () => `${((performance.now() - started) / 1000).toFixed(1).padStart(5)}s  `
  const clear = () => stream.isTTY && stream.write('\r\x1b[K')
  return {
    chapter(title) {
      clear()
      stream.write(`\n${styleText('bold', title, { stream })}\n`)
    },
    say(text) {
      clear()
      stream.write(`${styleText('dim', clock(), { stream })}${text}\n`)
    },
    progress(what, done, total) {
      const now = Math.floor((4 * done) / total)
      if (stream.isTTY) stream.write(`\r\x1b[K${clock()}${what} ${done} of ${total}`)
      else if (now > quarter && now < 4) stream.write(`${clock()}${what} ${done} of ${total}\n`)
      quarter = now < 4 ? now : 0
    },
  }
}

const UNIT = 10n ** 18n

/** An amount of 18 decimals for people: "1.25 ETH". Exact, no trailing zeros. */
export function money(amount: bigint, name: string): string {
  const sign = amount < 0n ? '-' : ''
  const whole = amount < 0n ? -amount : amount
  const fraction = (whole % UNIT).toString().padStart(18, '0').replace(/0+$/, '')
  return `${sign}${whole / UNIT}${fraction ? `.${fraction}` : ''} ${name}`
}

/** A number with its thousands apart. */
export function count(value: number | bigint): string {
  return value.toLocaleString('en-US')
}
