import type { Service } from '@posthorn/process'

/** A row of the table. */
export interface Target {
  /** The name of the service, and of its package. */
  readonly target: string
  readonly load: () => Promise<Service>
}

/**
 * The whole platform: one program, and a Deployment chooses its row. In the order an event passes
 * them. Loaded only when chosen: the code of all of them takes 40 MB more than that of one.
 */
export const TARGETS: readonly Target[] = [
  { target: 'ingest', load: async () => (await import('@posthorn/ingest')).ingestService },
  { target: 'registry', load: async () => (await import('@posthorn/registry')).registryService },
  { target: 'router', load: async () => (await import('@posthorn/router')).routerService },
  { target: 'deliverer', load: async () => (await import('@posthorn/deliverer')).delivererService },
  { target: 'retry-scheduler', load: async () => (await import('@posthorn/retry-scheduler')).retrySchedulerService },
  { target: 'replayer', load: async () => (await import('@posthorn/replayer')).replayerService },
  { target: 'monitor', load: async () => (await import('@posthorn/monitor')).monitorService },
]

/** Reads `--target=` (comma-separated names, or `all`). Throws a sentence naming what is not a target. */
export function chooseTargets(text: string): readonly Target[] {
  const names = text.split(',').map(name => name.trim())
  if (names.includes('all')) return TARGETS
  const unknown = names.filter(name => !TARGETS.some(({ target }) => target === name))
  if (unknown.length > 0)
    throw new Error(
      `--target: "${unknown.join(', ')}" is not a target; use all, or some of ${TARGETS.map(({ target }) => target).join(', ')}`,
    )
  return TARGETS.filter(({ target }) => names.includes(target))
}
