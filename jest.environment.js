import { TestEnvironment } from 'jest-environment-node'

let isPrompt = false

/**
 * A worker with nothing left to do ends at once. By itself Node first takes its heap and modules apart,
 * which may last longer than the half second that Jest gives it: Jest then kills it, and warns of a leak.
 * What really leaks still keeps the worker alive, and is warned of.
 */
export default class PromptEnvironment extends TestEnvironment {
  constructor(...of) {
    super(...of)
    if (isPrompt || !process.send) return
    isPrompt = true
    process.once('beforeExit', () => process.exit())
  }
}
