import { ApiError, type ListView } from '@posthorn/api'
import type { ListPage, ListPosition } from '@posthorn/store'

type FieldKind = 'time' | 'int4' | 'int8' | 'text'
type Position = Readonly<Record<string, string | number>>

/** What a cursor of one list holds: the order's fields of the last row of the page before. */
export interface CursorShape {
  /** Keeps a cursor of one list from being taken by another. */
  readonly list: string
  readonly fields: Readonly<Record<string, FieldKind>>
}

/** Years that Postgres and JavaScript write alike. */
const LAST_TIME = Date.UTC(9999, 11, 31)
const MAX_TEXT = 1024

/** The position as the opaque text that clients hand back. */
export function cursorOf({ list, fields }: CursorShape, position: Position): string {
  const values = Object.keys(fields).map(name => position[name])
  return Buffer.from(JSON.stringify([list, ...values])).toString('base64url')
}

/** Undefined without a cursor. Throws ApiError cursor_invalid: what a client made up must not reach the database. */
export function positionOf({ list, fields }: CursorShape, cursor: string | undefined): Position | undefined {
  if (cursor === undefined) return undefined
  const names = Object.entries(fields)
  const [of, ...values] = parse(cursor)
  if (of !== list || values.length !== names.length || !names.every(([, kind], i) => FITS[kind](values[i])))
    throw new ApiError('cursor_invalid', 'The cursor is not one that this list gave.', [
      { pointer: '/cursor', message: 'must be the next_cursor of a page before' },
    ])
  return Object.fromEntries(names.map(([name], i) => [name, values[i] as string | number]))
}

/** The place of a list that is ordered by time of creation and id. */
export function placeOf(shape: CursorShape, cursor: string | undefined): ListPosition | undefined {
  const position = positionOf(shape, cursor)
  return position && { createdAt: new Date(position.createdAt as number), id: position.id as string }
}

/** One page of such a list. */
export function pageView<R, V>(shape: CursorShape, { rows, next }: ListPage<R>, view: (row: R) => V): ListView<V> {
  const cursor = next ? cursorOf(shape, { createdAt: next.createdAt.getTime(), id: next.id }) : null
  return { data: rows.map(view), next_cursor: cursor }
}

const isWhole = (value: unknown, most: number) =>
  Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= most

const FITS: Readonly<Record<FieldKind, (value: unknown) => boolean>> = {
  time: value => isWhole(value, LAST_TIME),
  int4: value => isWhole(value, 2 ** 31 - 1),
  int8: value => isWhole(value, Number.MAX_SAFE_INTEGER),
  text: value => typeof value === 'string' && value.length <= MAX_TEXT && !/[\0\p{Surrogate}]/u.test(value),
}

function parse(cursor: string): unknown[] {
  try {
    const read: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'))
    return Array.isArray(read) ? read : []
  } catch {
    return []
  }
}
