import { join } from 'node:path'

/** The folder of the clone. */
export const ROOT = join(import.meta.dirname, '..', '..', '..')
export const NODE = process.execPath
/** Spawned with their full path, by which they are known again after a crash. */
export const SERVICES_MAIN = join(ROOT, 'apps', 'all-in-one', 'dist', 'main.js')
export const RECEIVER_MAIN = join(ROOT, 'apps', 'receiver', 'dist', 'main.js')
export const BENCH_MAIN = join(ROOT, 'apps', 'bench', 'dist', 'main.js')
export const FAULTS_MAIN = join(ROOT, 'apps', 'faults', 'dist', 'main.js')
export const CLI_MAIN = join(ROOT, 'apps', 'cli', 'dist', 'main.js')
export const bin = (...path: string[]) => join(ROOT, 'node_modules', ...path)
