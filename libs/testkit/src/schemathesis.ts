import { runPython, type Ended } from './python.js'

/** Runs schemathesis to its end. Throws when it cannot be installed. */
export function schemathesis(args: readonly string[], timeoutMs: number): Promise<Ended> {
  return runPython('schemathesis', '4.32.5', 'schemathesis', args, { timeoutMs })
}
