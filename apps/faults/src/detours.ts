/** By which services reach their servers, while the supervisor and whoever judges them go there directly. */
export interface Detours {
  /** host:port of each broker. */
  readonly brokers: readonly string[]
  readonly databasePort: number
}

/** What a service has to be started with. */
export function detourOf({ brokers, databasePort }: Detours) {
  // From the sources under Jest, from dist otherwise.
  const preload = new URL(`./detoured.${import.meta.url.endsWith('.ts') ? 'ts' : 'js'}`, import.meta.url)
  return {
    FAULTS_DETOUR_BROKERS: brokers.join(','),
    FAULTS_DETOUR_DATABASE_PORT: String(databasePort),
    NODE_OPTIONS: `--import=${preload.href}`,
  } as const
}
