import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { CommandContext } from './command.js'
import { buildJaeger } from './jaeger/build.js'
import { runJest } from './jest-run.js'
import { exitStatus, lastLine } from './tally.js'

const SPEC = '/apps/cli/src/traces.kafka.spec.ts'

/** The test of traces, whose spans go to a Jaeger as well: to build that takes too long for `npm test`. */
export async function run(args: readonly string[], { say, stop }: CommandContext): Promise<number> {
  parseArgs({ args: [...args] })
  const program = await buildJaeger(say)
  const dir = mkdtempSync(join(tmpdir(), 'posthorn-jaeger-'))
  try {
    const tally = await runJest([SPEC], { POSTHORN_TEST_JAEGER: program }, join(dir, 'jest.json'), stop)
    stop.throwIfAborted()
    for (const failure of tally.failures) say(`failed: ${failure}`)
    console.log(lastLine(tally))
    return exitStatus(tally)
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}
