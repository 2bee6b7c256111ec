import { type Claim, claimsIn, type Written, words } from './claim.ts'
import { compiled, type Said, sourceOf } from './compile.ts'

const SAFE = '2961'
const VIOLATED = '4661'

/**
 * The claims of a contract as solc's model checker (bounded, z3 within) decides them over all inputs. There are no
 * loops in what they call, so the bound is none. A claim is proven iff each of its assertions and each checked operation
 * is said to be safe; a planted one must be said to be violated, not merely undecided.
 */
export function solved(contract: string): readonly Claim[] {
  const file = `bench/prove/${contract}.sol`
  const source = sourceOf(file)
  const modelChecker = {
    ...{ engine: 'bmc', solvers: ['z3'], contracts: { [file]: [contract] } },
    ...{ targets: ['assert', 'overflow', 'underflow', 'divByZero'], showUnproved: true, showProvedSafe: true },
  }
  const said = (compiled(file, { modelChecker, outputSelection: {} }, sourceOf).errors ?? []).filter(({ message }) =>
    message.startsWith('BMC:'),
  )
  const elsewhere = said.filter(({ errorCode, sourceLocation }) => errorCode !== SAFE && sourceLocation?.file !== file)
  return claimsIn(source).map((written) => {
    const here = said.filter(({ sourceLocation: at }) => at?.file === file && within(written, at.start))
    const planted = written.name.startsWith('planted')
    return {
      name: words(written.name),
      planted,
      missing: missing(written, [...here, ...elsewhere], planted),
      over: OVER,
    }
  })
}

const OVER = 'by the solver, over all inputs'

function within({ start, end }: Written, at: number): boolean {
  return at >= start && at < end
}

function missing({ text }: Written, said: readonly Said[], planted: boolean): string | undefined {
  const wrong = said.find(({ errorCode }) => errorCode === VIOLATED)
  if (wrong) return wrong.message.split('\n')[0]
  if (planted) return undefined
  const open = said.find(({ errorCode }) => errorCode !== SAFE)
  if (open) return open.message.split('\n')[0]
  const safe = said.filter(({ message }) => message.startsWith('BMC: Assertion violation check is safe')).length
  const need = text.match(/\bassert\(/g)?.length ?? 0
  return safe === need && need > 0 ? undefined : `${safe} of ${need} assertions were decided`
}
