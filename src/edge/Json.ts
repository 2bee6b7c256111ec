/** JSON with every bigint as decimal text; in lines, each level so many spaces deeper, if `indent` is given. */
export function encode(value: unknown, indent?: number): string {
  return JSON.stringify(value, (_, part) => (typeof part === 'bigint' ? part.toString() : part), indent)
}
