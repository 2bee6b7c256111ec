import { Misuse } from './Trouble.ts'

const UNITS = [
  ['week', 604_800],
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
  ['second', 1],
] as const

/** Seconds of a duration in words: "90s", "1 day", "1d 12h". Throws Misuse. */
export function parseDuration(text: string): number {
  const parts = [...text.matchAll(/\s*([0-9]{1,9})\s*([a-z]+)\s*/gi)]
  const seconds = parts.map(([, count, unit]) => Number(count) * secondsOf(unit!.toLowerCase()))
  const total = seconds.reduce((sum, more) => sum + more, 0)
  if (parts.length === 0 || parts.map(([all]) => all).join('') !== text || !Number.isSafeInteger(total))
    throw new Misuse(`"${text}" is no duration: write it as in 90s, 30m, 12h, 1d or "1 day 12 hours"`)
  return total
}

function secondsOf(unit: string): number {
  return UNITS.find(([name]) => unit === name[0] || unit === name || unit === `${name}s`)?.[1] ?? Number.NaN
}

/** A duration in words: its two largest units, as "1 day 2 hours". */
export function formatDuration(seconds: number): string {
  const words: string[] = []
  let rest = Math.max(0, Math.round(seconds))
  for (const [name, size] of UNITS) {
    const count = Math.floor(rest / size)
    rest %= size
    if (count > 0) words.push(`${count} ${name}${count === 1 ? '' : 's'}`)
  }
  return words.slice(0, 2).join(' ') || '0 seconds'
}

/** A moment (seconds since 1970) in words, seen from `now`: "in 3 hours (2026-01-31 12:00 UTC)". */
export function formatMoment(time: number, now: number): string {
  const away = time >= now ? `in ${formatDuration(time - now)}` : `${formatDuration(now - time)} ago`
  return `${away} (${new Date(time * 1000).toISOString().slice(0, 16).replace('T', ' ')} UTC)`
}
