const DECIMAL = /^(0|[1-9][0-9]{0,77})(?:\.([0-9]{1,78}))?$/

/**
 * The amount in smallest units that a decimal text means for an asset of so many decimals: exact, or a RangeError whose
 * sentence says what is wrong with the text.
 */
export function parseAmount(text: string, decimals: number): bigint {
  const [, whole, fraction = ''] = DECIMAL.exec(text) ?? []
  if (whole === undefined) throw new RangeError(`"${text}" is no amount: write digits and a point, as in 0.25`)
  const digits = fraction.replace(/0+$/, '')
  if (digits.length > decimals) throw new RangeError(`"${text}" has ${digits.length} decimals, ${most(decimals)}`)
  return BigInt(whole + digits.padEnd(decimals, '0'))
}

function most(decimals: number): string {
  return decimals === 0 ? 'and there is nothing smaller than 1' : `and ${decimals} are all there are`
}

/** The shortest decimal text of an amount in smallest units: `parseAmount` gives exactly the amount back. */
export function formatAmount(amount: bigint, decimals: number): string {
  if (amount < 0n) return `-${formatAmount(-amount, decimals)}`
  const digits = amount.toString().padStart(decimals + 1, '0')
  const [whole, fraction] = [digits.slice(0, digits.length - decimals), digits.slice(digits.length - decimals)]
  const shown = fraction.replace(/0+$/, '')
  return shown === '' ? whole : `${whole}.${shown}`
}
