import type { SelectQueryBuilder } from 'typeorm'

/** A place in a list: the last row of the page before. */
export interface ListPosition {
  readonly createdAt: Date
  readonly id: string
}

export interface ListPage<T> {
  readonly rows: readonly T[]
  /** Where the next page starts; undefined on the last one. */
  readonly next?: ListPosition
}

/** The rows of a query, newest first, from a position on. */
export async function pageOf<T extends ListPosition>(
  query: SelectQueryBuilder<T>,
  limit: number,
  after: ListPosition | undefined,
): Promise<ListPage<T>> {
  const { alias } = query
  query.orderBy({ [`${alias}.createdAt`]: 'DESC', [`${alias}.id`]: 'DESC' }).limit(limit + 1)
  if (after) query.andWhere(`(${alias}.created_at, ${alias}.id) < (:createdAt, :id)`, { ...after })
  const rows = await query.getMany()
  const last = rows[limit - 1]
  if (rows.length <= limit || !last) return { rows }
  return { rows: rows.slice(0, limit), next: { createdAt: last.createdAt, id: last.id } }
}
