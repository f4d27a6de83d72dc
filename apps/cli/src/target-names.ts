/** The targets of apps/all-in-one, by name: importing the services themselves would load all of them into the supervisor. */
export const TARGET_NAMES = [
  'ingest',
  'registry',
  'router',
  'deliverer',
  'retry-scheduler',
  'replayer',
  'monitor',
] as const
