import ts from 'typescript'
import { artifactsOf, type Entry, entriesOf, type Param, structsOf, twinType } from './abi.ts'
import { type Files, graphOf, nodesOf, placeOf, treeOf, under } from './files.ts'

interface Noun {
  readonly path: string
  readonly node: ts.InterfaceDeclaration
}

/** Structs of the contracts whose TypeScript interface is missing, or has other fields, another order, other types. */
export function unlikeNouns(files: Files): readonly string[] {
  const nouns = nounsOf(files)
  return [...structsOf(artifactsOf(files))].flatMap(([name, fields]) => {
    const noun = nouns.get(name)
    if (!noun) return [`struct ${name} crosses the ABI and has no interface ${name} in src/core`]
    return unlike(`${placeOf(noun.node)} ${name}`, noun.node.members, fields)
  })
}

function nounsOf(files: Files): ReadonlyMap<string, Noun> {
  const found = under(files, 'src/core').flatMap(([path, text]) =>
    treeOf(path, text)
      .statements.filter(ts.isInterfaceDeclaration)
      .map((node) => ({ path, node })),
  )
  return new Map(found.map((noun) => [noun.node.name.text, noun]))
}

function unlike(what: string, members: readonly ts.TypeElement[], fields: readonly Param[]): readonly string[] {
  const have = members.map(fieldOf).join(', ')
  const need = fields.map((field) => `${field.name}: ${twinType(field)}`).join(', ')
  return have === need ? [] : [`${what} is { ${have} }, in Solidity { ${need} }`]
}

function fieldOf(member: ts.TypeElement): string {
  if (!ts.isPropertySignature(member) || !member.type) return member.getText()
  const type = member.type.getText().replace(/\s+/g, ' ')
  return `${member.name.getText()}${member.questionToken ? '?' : ''}: ${type}`
}

const COURTS = [
  { room: 'channel', calls: 'ChannelCall', events: 'ChannelEvent' },
  { room: 'plasma', calls: 'PlasmaCall', events: 'PlasmaEvent' },
] as const

/** Calls and events of the core that are not verbs and events of their court, field by field. */
export function unlikeVerbs(files: Files): readonly string[] {
  return COURTS.flatMap(({ room, calls, events }) => {
    const courts = artifactsOf(files, room)
    if (courts.length === 0) return []
    return [
      ...unlikeUnion(files, room, calls, 'verb', entriesOf(courts, 'function')),
      ...unlikeUnion(files, room, events, 'name', entriesOf(courts, 'event')),
    ]
  })
}

function unlikeUnion(
  files: Files,
  room: string,
  alias: string,
  tag: string,
  entries: ReadonlyMap<string, readonly Entry[]>,
): readonly string[] {
  return under(files, `src/core/${room}`).flatMap(([path, text]) => {
    const types = treeOf(path, text).statements.filter(ts.isTypeAliasDeclaration)
    const literals = types.filter(({ name }) => name.text === alias).flatMap(({ type }) => [...nodesOf(type)])
    return literals.filter(ts.isTypeLiteralNode).flatMap(({ members }) => unlikeMember(members, tag, alias, entries))
  })
}

function unlikeMember(
  members: ts.NodeArray<ts.TypeElement>,
  tag: string,
  alias: string,
  entries: ReadonlyMap<string, readonly Entry[]>,
): readonly string[] {
  const [first, ...rest] = members
  const name = first && fieldOf(first).match(`^${tag}: '(\\w+)'$`)?.[1]
  if (!name) return [`${alias} has a member that does not begin with ${tag}`]
  const known = entries.get(name)
  if (!known) return [`${alias} has ${name}, which its court has not`]
  const faults = known.map(({ inputs }) => unlike(`${placeOf(first)} ${name}`, rest, inputs ?? []))
  return faults.some((fault) => fault.length === 0) ? [] : faults[0]!
}

/** Signed types (EIP-712) of which the two languages hash different texts, or the interface has another order. */
export function unlikeSignedTypes(files: Files): readonly string[] {
  return (['base', 'channel', 'plasma'] as const).flatMap((room) => {
    const rooms = [...new Set(['base', room])]
    const texts = rooms.flatMap((one) =>
      under(files, `contracts/${one}`, '.sol').map(([, text]) => joinedStrings(text)),
    )
    const core = new Map(rooms.flatMap((one) => under(files, `src/core/${one}`)))
    const signed = under(files, `src/core/${room}`).map(([, text]) => text)
    return unlikeTypes(signedTypes(signed), signedTypes(texts), nounsOf(core))
  })
}

/** Rooms that never meet may sign different things under one name. */
function unlikeTypes(
  typescript: ReadonlyMap<string, string>,
  solidity: ReadonlyMap<string, string>,
  nouns: ReadonlyMap<string, Noun>,
): readonly string[] {
  return [...typescript].flatMap(([name, fields]) => {
    const other = solidity.get(name)
    const faults =
      other === undefined || other === fields ? [] : [`${name}(${fields}) is signed, in Solidity ${name}(${other})`]
    const names = fields.split(',').map((field) => field.split(' ')[1])
    const noun = nouns.get(name)?.node.members.map((member) => member.name?.getText())
    if (!noun || noun.join() === names.join()) return faults
    return [...faults, `${name} is signed as (${names}), its interface is (${noun})`]
  })
}

function signedTypes(texts: readonly string[]): ReadonlyMap<string, string> {
  const literals = texts.flatMap((text) => text.match(/(['"])(?:[A-Z]\w*\(\w+[^'"()]*\))+\1/g) ?? [])
  const types = literals.flatMap((literal) => [...literal.matchAll(/([A-Z]\w*)\(([^)]*)\)/g)])
  // Foreign contracts have domains of their own shape.
  return new Map(types.filter(([, name]) => name !== 'EIP712Domain').map(([, name, fields]) => [name!, fields!]))
}

/** Solidity joins string literals that follow one another. */
function joinedStrings(text: string): string {
  return text.replace(/"\s*"/g, '')
}

/** Files of the core that declare a noun of both languages, have verbs, and are imported by no test that is random and runs contracts. */
export function untwinned(files: Files): readonly string[] {
  const structs = structsOf(artifactsOf(files))
  const nouns = [...nounsOf(files)].filter(([name]) => structs.has(name))
  const graph = graphOf(files)
  const twins = under(files, 'test').filter(([, text]) => /'hardhat'/.test(text) && /'fast-check'/.test(text))
  return [...new Set(nouns.map(([, { path }]) => path))]
    .filter((path) => /^export (?:function|const)/m.test(files.get(path)!))
    .filter((path) => !twins.some(([test]) => graph.get(test)?.includes(path)))
    .map((path) => `${path} has no twin test: none imports it, fast-check and hardhat`)
}
