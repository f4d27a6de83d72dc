import { delivererService } from '@posthorn/deliverer'
import { ingestService } from '@posthorn/ingest'
import { monitorService } from '@posthorn/monitor'
import type { Service } from '@posthorn/process'
import { registryService } from '@posthorn/registry'
import { replayerService } from '@posthorn/replayer'
import { retrySchedulerService } from '@posthorn/retry-scheduler'
import { routerService } from '@posthorn/router'

/** The whole platform: one program, and a Deployment chooses its row. In the order an event passes them. */
export const TARGETS: readonly Service[] = [
  ingestService,
  registryService,
  routerService,
  delivererService,
  retrySchedulerService,
  replayerService,
  monitorService,
]

/** Reads `--target=` (comma-separated names, or `all`). Throws a sentence naming what is not a target. */
export function chooseTargets(text: string): readonly Service[] {
  const names = text.split(',').map(name => name.trim())
  if (names.includes('all')) return TARGETS
  const unknown = names.filter(name => !TARGETS.some(service => service.target === name))
  if (unknown.length > 0)
    throw new Error(
      `--target: "${unknown.join(', ')}" is not a target; use all, or some of ${TARGETS.map(service => service.target).join(', ')}`,
    )
  return TARGETS.filter(service => names.includes(service.target))
}
