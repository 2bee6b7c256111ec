import { spawn, spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { expect } from 'chai'
import { Wallet } from 'ethers'
import { addressOf } from '../../src/core/base/Signature.ts'
import { addressIn, isKey, newKey, readKey, type Scrypt, writeKeystore } from '../../src/edge/key/Keystore.ts'
import { PASSWORD_FILE, passwordFor } from '../../src/edge/key/Password.ts'
import { openToken, readToken, sameToken } from '../../src/edge/key/Token.ts'
import { faultIn, faultOf } from './plain.ts'

/** So cheap that a test can afford it. */
const COST: Scrypt = { N: 2, r: 8, p: 1 }
const KEY = `0x${'4a'.repeat(32)}` as const
const PASSWORD = 'pässword 密码'

/** The vector of the Web3 secret storage definition. */
const PUBLIC = {
  crypto: {
    cipher: 'aes-128-ctr',
    cipherparams: { iv: '6087dab2f9fdbbfaddc31a909735c1e6' },
    ciphertext: '5318b4d5bcd28de64ee5559e671353e16f075ecae9f99c7a79a38af5f869aa46',
    kdf: 'pbkdf2',
    kdfparams: {
      c: 262144,
      dklen: 32,
      prf: 'hmac-sha256',
      salt: 'ae3cd4e7013836a3df6bd7241b12db061dbe2c6785853cce422d148a624ce0bd',
    },
    mac: '517ead924a9d0dc3124507e3393d175ce3ff7c1e96529c6c555ce9e51205e9b2',
  },
  id: '3198bc9c-6672-5ab3-d995-4942343ae5b6',
  version: 3,
}

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kerros-key-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

function file(name: string, content: string, mode = 0o600): string {
  const path = join(folder, name)
  writeFileSync(path, content)
  chmodSync(path, mode)
  return path
}

const never = { password: () => Promise.reject(new Error('nobody should be asked')) }
const given = (password: string) => ({ password: () => password })

describe('edge/key: keystores', () => {
  it('keeps a key that only its password opens, in a file that only its owner opens, as wallets read it', async () => {
    const path = join(folder, 'key.json')
    const mask = process.umask(0)
    try {
      expect(await writeKeystore(path, KEY, PASSWORD, COST)).to.equal(addressOf(KEY))
    } finally {
      process.umask(mask)
    }
    expect(statSync(path).mode & 0o777).to.equal(0o600)
    expect(readdirSync(folder)).to.deep.equal(['key.json'])
    const stored = readFileSync(path, 'utf8')
    expect(stored).not.to.include(KEY.slice(2))
    expect(await readKey(path, given(PASSWORD))).to.equal(KEY)
    expect((await Wallet.fromEncryptedJson(stored, PASSWORD)).privateKey).to.equal(KEY)
    expect(addressIn(path)).to.equal(addressOf(KEY))
  })

  it('reads the vector of the definition, and keystores of other wallets', async () => {
    const path = file('public.json', JSON.stringify(PUBLIC))
    const key = '0x7a28b5ba57c53603b0b07b56bba752f7784bf506fa95edc395f5cf6c7514fe9d'
    expect(await readKey(path, given('testpassword'))).to.equal(key)
    expect(addressIn(path)).to.equal(undefined)
  })

  it('says that a password is wrong, and nothing of the key', async () => {
    const path = join(folder, 'key.json')
    await writeKeystore(path, KEY, PASSWORD, COST)
    for (const wrong of ['', 'password', `${PASSWORD} `]) {
      const fault = await faultIn(readKey(path, given(wrong)))
      expect(fault.code).to.equal('WrongPassword')
      expect(fault.message).to.equal(`The password does not open ${path}: try again, or name the right key file`)
      expect(fault.cause).to.equal(undefined)
    }
  })

  it('replaces no file, whatever it is, and leaves no draft', async () => {
    const path = file('key.json', 'something else')
    expect((await faultIn(writeKeystore(path, KEY, PASSWORD, COST))).code).to.equal('KeyExists')
    expect(readFileSync(path, 'utf8')).to.equal('something else')
    mkdirSync(join(folder, 'sub'))
    expect((await faultIn(writeKeystore(join(folder, 'sub'), KEY, PASSWORD, COST))).code).to.equal('KeyExists')
    expect(readdirSync(folder).sort()).to.deep.equal(['key.json', 'sub'])
    expect((await faultIn(writeKeystore(join(folder, 'none/key.json'), KEY, PASSWORD, COST))).code).to.equal(
      'StoreFailed',
    )
  })

  it('writes no key without a password, and none that is no key', async () => {
    const path = join(folder, 'key.json')
    expect((await faultIn(writeKeystore(path, KEY, '', COST))).code).to.equal('NoPassword')
    for (const bad of [`0x${'00'.repeat(32)}`, `0x${'ff'.repeat(32)}`, '0x4a', KEY.slice(2)]) {
      expect((await faultIn(writeKeystore(path, bad as never, PASSWORD, COST))).code).to.equal('KeyMalformed')
    }
    expect(readdirSync(folder)).to.deep.equal([])
  })

  it('warns of an encrypted key that others can open, and refuses a bare one', async () => {
    const path = join(folder, 'key.json')
    await writeKeystore(path, KEY, PASSWORD, COST)
    chmodSync(path, 0o644)
    const warnings: string[] = []
    expect(await readKey(path, { ...given(PASSWORD), warn: (warning) => warnings.push(warning) })).to.equal(KEY)
    expect(warnings).to.deep.equal([`${path} is open to others (mode 644, 600 is needed): run chmod 600 ${path}`])
    const bare = file('bare', KEY, 0o640)
    expect((await faultIn(readKey(bare, never))).code).to.equal('LooseFile')
    chmodSync(bare, 0o400)
    expect(await readKey(bare, never)).to.equal(KEY)
  })

  for (const [how, content] of [
    ['bare', KEY.slice(2)],
    ['with 0x', KEY],
    ['in upper case, with blanks around it', ` 0X${KEY.slice(2).toUpperCase()}\r\n`],
  ] as const) {
    it(`reads a key that is written ${how}, and asks nobody for a password`, async () => {
      expect(await readKey(file('bare', content), never)).to.equal(KEY)
    })
  }

  for (const [what, content] of [
    ['nothing', ''],
    ['a short key', KEY.slice(0, -2)],
    ['two keys', `${KEY}\n${KEY}`],
    ['the key zero', '00'.repeat(32)],
    ['a number beyond the curve', 'ff'.repeat(32)],
    ['half of a keystore', '{"version":3,'],
    ['another JSON', '{"version":2}'],
    ['a keystore that costs all the memory', JSON.stringify(costly({ n: 2 ** 30, r: 8, p: 1 }))],
    ['a keystore that costs a day', JSON.stringify(costly({ n: 2 ** 17, r: 8, p: 100_000 }))],
    [
      'a keystore with a cipher of its own',
      JSON.stringify({ ...PUBLIC, crypto: { ...PUBLIC.crypto, cipher: 'rot13' } }),
    ],
    ['a keystore of another address', JSON.stringify({ ...PUBLIC, address: 'aa'.repeat(20) })],
  ] as const) {
    it(`refuses a file with ${what}`, async () => {
      const fault = await faultIn(readKey(file('key', content), given('testpassword')))
      expect(fault.code).to.equal('KeyMalformed')
    })
  }

  it('refuses what is no file, without waiting for it', async () => {
    expect((await faultIn(readKey(join(folder, 'none'), never))).code).to.equal('KeyMissing')
    expect((await faultIn(readKey(folder, never))).code).to.equal('KeyMalformed')
    spawnSync('mkfifo', [join(folder, 'pipe')])
    expect((await faultIn(readKey(join(folder, 'pipe'), never))).code).to.equal('KeyMalformed')
    expect((await faultIn(readKey(file('long', 'a'.repeat(70_000)), never))).code).to.equal('KeyMalformed')
  })

  it('makes new keys that are keys, each another', () => {
    const keys = Array.from({ length: 20 }, newKey)
    expect(new Set(keys).size).to.equal(20)
    expect(keys.every(isKey)).to.equal(true)
  })
})

describe('edge/key: passwords', () => {
  const asking = (...answers: string[]) => ({ env: {}, ask: async () => answers.shift() ?? 'nothing more' })

  it('takes the first line of a file, which is named or the variable names', async () => {
    const path = file('password', `${PASSWORD}\nnot this\n`)
    const nobody = { ask: never.password }
    expect(await passwordFor('the key', true, { ...nobody, file: path })).to.equal(PASSWORD)
    expect(await passwordFor('the key', false, { ...nobody, env: { [PASSWORD_FILE]: path } })).to.equal(PASSWORD)
    const empty = file('empty', '\n')
    expect((await faultIn(passwordFor('the key', false, { file: empty }))).code).to.equal('NoPassword')
    expect((await faultIn(passwordFor('the key', false, { file: `${path}x` }))).code).to.equal('KeyMissing')
  })

  it('asks a person once, and twice for a new one', async () => {
    expect(await passwordFor('the key', false, asking('a'))).to.equal('a')
    expect(await passwordFor('the key', true, asking('a', 'a'))).to.equal('a')
    expect((await faultIn(passwordFor('the key', true, asking('a', 'b')))).code).to.equal('NoPassword')
    expect((await faultIn(passwordFor('the key', false, asking('')))).code).to.equal('NoPassword')
  })

  it('says what to do where there is no terminal', async () => {
    const module = new URL('../../src/edge/key/Password.ts', import.meta.url).href
    const path = file(
      'ask.mts',
      `import { askTerminal } from ${JSON.stringify(module)}
      askTerminal('?').catch((why) => console.log(why.code, why.message))`,
    )
    // A session of its own has no terminal.
    const child = spawn(process.execPath, ['--import', 'tsx', path], { detached: true })
    expect(await text(child.stdout)).to.match(/^NoPassword There is no terminal .* KERROS_PASSWORD_FILE/)
  })
})

describe('edge/key: tokens', () => {
  it('makes one in a file of its owner, and the same again', () => {
    const path = join(folder, 'token')
    const token = openToken(path)
    expect(token).to.match(/^[0-9a-f]{64}$/)
    expect(statSync(path).mode & 0o777).to.equal(0o600)
    expect([openToken(path), readToken(path)]).to.deep.equal([token, token])
    expect(openToken(join(folder, 'other'))).not.to.equal(token)
    chmodSync(path, 0o604)
    expect(faultOf(() => readToken(path)).code).to.equal('LooseFile')
    expect(faultOf(() => readToken(file('bad', 'abc'))).code).to.equal('KeyMalformed')
  })

  it('compares them whole', () => {
    const token = openToken(join(folder, 'token'))
    expect(sameToken(token, token)).to.equal(true)
    for (const other of ['', token.slice(1), `${token}0`, token.toUpperCase().replace(/[A-F]?$/, 'G')]) {
      expect(sameToken(other, token)).to.equal(false)
    }
  })
})

function costly(kdfparams: { readonly n: number; readonly r: number; readonly p: number }) {
  const salt = PUBLIC.crypto.kdfparams.salt
  return { ...PUBLIC, crypto: { ...PUBLIC.crypto, kdf: 'scrypt', kdfparams: { ...kdfparams, dklen: 32, salt } } }
}
