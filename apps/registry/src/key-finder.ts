import type { FindKey } from '@posthorn/api'
import { keyDocument, type Keys } from '@posthorn/store'
import type { Logger } from '@posthorn/telemetry'

/**
 * Looks keys up where the truth is, so that a deleted one ends at once; its use is noted on the side.
 * Ingest, which must not depend on the database, reads them from keys.v1 instead.
 */
export function keyFinder(keys: Pick<Keys, 'byHash' | 'touch'>, logger: Logger): FindKey {
  return async hash => {
    const row = await keys.byHash(hash)
    if (!row) return undefined
    keys.touch(row).catch((error: unknown) => logger.debug({ err: error }, 'the use of a key was not noted'))
    const key = keyDocument(row)
    // One that signs has no hash to be found by.
    return key.kind === undefined ? key : undefined
  }
}
