import type { Hex } from '../../core/base/Bytes.ts'
import { readKey } from '../../edge/key/Keystore.ts'
import { passwordFor } from '../../edge/key/Password.ts'
import { type Call, option } from './Command.ts'

/** The key in a file; its password, if it needs one, is that of the command. */
export function keyFrom(call: Call, file: string): Promise<Hex> {
  return readKey(file, { password: () => passwordOf(call, file, false), warn: call.say })
}

/** The password of `what`: from --password-file, KERROS_PASSWORD_FILE, or a person, who is asked twice for a new one. */
export function passwordOf(call: Call, what: string, isNew: boolean): Promise<string> {
  return passwordFor(what, isNew, { file: option(call, 'password-file'), env: call.env, warn: call.say })
}
