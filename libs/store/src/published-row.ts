import type { EntityManager, EntityTarget } from 'typeorm'
import { enqueue, type OutboxKind } from './outbox.js'

interface PublishedRow {
  id: string
  version: number
  updatedAt: Date
}

/** Writes the change with the next version, and has the document published: both or neither. */
export async function saveRow<T extends PublishedRow>(
  tx: EntityManager,
  entity: new () => T,
  kind: OutboxKind,
  row: T,
  change: NoInfer<Partial<T>>,
): Promise<T> {
  const next = { ...change, version: row.version + 1, updatedAt: new Date() }
  await tx.update<PublishedRow>(entity as EntityTarget<PublishedRow>, { id: row.id }, next)
  await enqueue(tx, kind, row.id)
  return Object.assign(Object.create(Object.getPrototypeOf(row) as object) as T, row, next)
}

/** Whether the row would be what it is: jsonb gives the members of an object back in an order of its own. */
export function changesNothing(row: object, change: object): boolean {
  return inOneOrder({ ...row, ...change }) === inOneOrder(row)
}

function inOneOrder(value: object): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  )
}

/** Somebody else changed it since the version that the caller had read. */
export class VersionConflict extends Error {
  override readonly name = 'VersionConflict'

  constructor(readonly version: number) {
    super(`the current version is ${version}`)
  }
}

/** Throws VersionConflict; without a wanted version everything goes. */
export function requireVersion(row: { readonly version: number }, wanted: number | undefined): void {
  if (wanted !== undefined && row.version !== wanted) throw new VersionConflict(row.version)
}
