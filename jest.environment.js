import { TestEnvironment } from 'jest-environment-node'

/** What a busy machine, or one that stands still for some seconds, may take more. */
const SLOWER = 3

let isPrompt = false

/**
 * A worker with nothing left to do ends at once. By itself Node first takes its heap and modules apart,
 * which may last longer than the half second that Jest gives it: Jest then kills it, and warns of a leak.
 * What really leaks still keeps the worker alive, and is warned of.
 */
export default class PatientEnvironment extends TestEnvironment {
  constructor(...of) {
    super(...of)
    if (isPrompt || !process.send) return
    isPrompt = true
    process.once('beforeExit', () => process.exit())
  }

  /** The limit of a test or a hook is there for what hangs; what is promised of time, a test looks at itself. */
  patient = new WeakSet()

  handleTestEvent({ name, test, hook }) {
    const limited = name === 'test_fn_start' ? test : name === 'hook_start' ? hook : undefined
    if (!limited?.timeout || this.patient.has(limited)) return
    this.patient.add(limited)
    limited.timeout *= SLOWER
  }
}
