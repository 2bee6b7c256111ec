import ts from 'typescript'
import { type Artifact, artifactsOf } from './abi.ts'
import { type Files, nodesOf, treeOf, under } from './files.ts'

/** Factories in typechain-types that do not hold the ABI and bytecode of the built contract, are missing, or are left over. */
export function staleTypes(files: Files): readonly string[] {
  const factories = new Map(
    under(files, 'typechain-types/factories', '__factory.ts').map(([path, text]) => [nameOf(path), { path, text }]),
  )
  // The generator passes by what has nothing to call.
  const artifacts = [...artifactsOf(files), ...testArtifacts(files)].filter(({ abi }) => abi.length > 0)
  const names = new Set(artifacts.map(({ contractName }) => contractName))
  return [
    ...artifacts.flatMap((artifact) => {
      const factory = factories.get(artifact.contractName)
      if (!factory) return [`typechain-types has no ${artifact.contractName}`]
      return holds(factory.path, factory.text, artifact)
        ? []
        : [`${factory.path} is not what ${artifact.sourceName} builds to`]
    }),
    ...[...factories].filter(([name]) => !names.has(name)).map(([, { path }]) => `${path} belongs to no contract`),
  ]
}

function testArtifacts(files: Files): readonly Artifact[] {
  const all = under(files, 'artifacts/contracts/test', '.json')
  return all.map(([, text]) => JSON.parse(text) as Artifact)
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1, -'__factory.ts'.length)
}

function holds(path: string, text: string, { abi, bytecode }: Artifact): boolean {
  const literals = new Map<string, string>()
  for (const node of nodesOf(treeOf(path, text))) {
    if (ts.isVariableDeclaration(node) && node.initializer)
      literals.set(node.name.getText(), node.initializer.getText())
  }
  const made = literals.get('_abi')?.replace(/ as const$/, '')
  const same = made !== undefined && JSON.stringify(evaluate(made)) === JSON.stringify(abi)
  const code = literals.get('_bytecode')
  return same && (code === undefined || code.includes('" + ') || evaluate(code) === bytecode)
}

/** The value of a literal as the generator writes it: JSON with bare keys and trailing commas. */
function evaluate(literal: string): unknown {
  return JSON.parse(literal.replace(/^(\s*)(\w+):/gm, '$1"$2":').replace(/,(\s*[\]}])/g, '$1'))
}
