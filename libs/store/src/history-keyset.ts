import { rowsOf, type SqlSource } from './history-records.js'

/** SQL about the table `h`; values go in by `bind`, which answers their placeholder. */
export type Condition = (bind: (value: unknown) => string) => string

export const equals =
  (column: string, value: unknown): Condition =>
  bind =>
    `h.${column} = ${bind(value)}`

/** A list that is read by pages, newest first: `order` names columns that no two rows share. */
export interface KeysetList<Columns, Row, After> {
  readonly table: string
  readonly columns: string
  readonly order: readonly { readonly column: string; readonly type: string; readonly of: (place: After) => unknown }[]
  /** What the place needs, by the names that `placeOf` reads. */
  readonly key: string
  /** As many leading fields of the order as a time (ms) says. */
  timed(time: number): readonly unknown[]
  /** Spares the partitions of days before a time. */
  prune(from: number): readonly Condition[]
  timeOf(place: After): number
  rowOf(columns: Columns): Row
  placeOf(columns: Columns): After
}

export interface KeysetFilter<After> {
  /** What an index is made of, so that all rows it gives fit. */
  readonly sought: readonly Condition[]
  /** What rows are looked through for. */
  readonly sifted: readonly Condition[]
  /** Whether few rows fit: they are all found first and then put in order. */
  readonly few?: boolean
  /** Of rows from this time on, in ms since the epoch. */
  readonly from?: number
  /** Of rows before this time. */
  readonly to?: number
  readonly limit: number
  readonly after?: After
}

export interface Page<T, After> {
  readonly rows: readonly T[]
  /** Where the next page starts; undefined on the last one. */
  readonly after: After | undefined
}

/** Rows that one page looks through at most: some tens of milliseconds. */
export const LOOKED_THROUGH = 10_000

/**
 * One page. It costs what its own rows cost, however deep it is, because it starts at the row where the
 * page before ended. What no index is made for is sifted out of the next 10,000 rows: where fewer fit,
 * the page is short, even empty, and the next one goes on behind them.
 */
export async function keysetPage<Columns, Row, After>(
  source: SqlSource,
  list: KeysetList<Columns, Row, After>,
  filter: KeysetFilter<After>,
): Promise<Page<Row, After>> {
  const { limit } = filter
  const sifts = filter.sifted.length > 0 && filter.few !== true
  const bound = sifts ? await boundary(source, list, filter) : undefined
  const statement = pageStatement(list, filter, bound)
  const found = await rowsOf<Columns>(source, statement.text, statement.values)
  const columns = found.slice(0, limit)
  const after = found.length > limit ? list.placeOf(columns[limit - 1]!) : bound
  return { rows: columns.map(each => list.rowOf(each)), after }
}

/** The last of the rows to look through; undefined where there are no more than that. */
async function boundary<Columns, Row, After>(
  source: SqlSource,
  list: KeysetList<Columns, Row, After>,
  filter: KeysetFilter<After>,
): Promise<After | undefined> {
  const { values, bind } = binder()
  const text = `select ${list.key} from ${list.table} h where ${all(bind, filter.sought, range(list, filter))}
    ${orderBy(list)} offset ${LOOKED_THROUGH - 1} limit 1`
  const [row] = await rowsOf<Columns>(source, text, values)
  return row && list.placeOf(row)
}

function pageStatement<Columns, Row, After>(
  list: KeysetList<Columns, Row, After>,
  filter: KeysetFilter<After>,
  bound: After | undefined,
): { text: string; values: unknown[] } {
  const { values, bind } = binder()
  const { table, columns } = list
  const { sought, sifted, limit } = filter
  const within = all(bind, sought, range(list, filter, bound))
  const rest = `${orderBy(list)} limit ${limit + 1}`
  if (filter.few === true) {
    const found = `with h as materialized (select * from ${table} h where ${within})`
    return { text: `${found} select ${columns} from h ${where(bind, sifted)} ${rest}`, values }
  }
  if (sifted.length === 0) return { text: `select ${columns} from ${table} h where ${within} ${rest}`, values }
  // `offset 0` keeps the planner from joining the two: it would choose an index of what is sifted.
  const looked = `select * from ${table} h where ${within} ${orderBy(list)} offset 0`
  return { text: `select ${columns} from (${looked}) h ${where(bind, sifted)} ${rest}`, values }
}

/**
 * The rows between two ends. The end at which the index starts has one comparison, of rows: given one of
 * the day beside it, Postgres starts at the end of the day and walks to the finer one. So partitions of
 * later days are opened, for a single look.
 */
function range<Columns, Row, After>(
  list: KeysetList<Columns, Row, After>,
  { from, to, after }: KeysetFilter<After>,
  bound?: After,
): Condition[] {
  const started = after !== undefined && (to === undefined || list.timeOf(after) < to)
  const end = started ? list.order.map(({ of }) => of(after)) : to === undefined ? undefined : list.timed(to)
  const start =
    bound !== undefined ? list.order.map(({ of }) => of(bound)) : from === undefined ? undefined : list.timed(from)
  const ends: Condition[] = []
  if (end) ends.push(compared(list, '<', end))
  if (start) ends.push(compared(list, '>=', start))
  const oldest = bound === undefined ? from : list.timeOf(bound)
  return oldest === undefined ? ends : [...ends, ...list.prune(oldest)]
}

function compared<Columns, Row, After>(
  { order }: KeysetList<Columns, Row, After>,
  operator: '<' | '>=',
  values: readonly unknown[],
): Condition {
  return bind => {
    const fields = order.slice(0, values.length)
    const places = fields.map(({ type }, i) => `${bind(values[i])}::${type}`)
    return `(${fields.map(({ column }) => `h.${column}`).join(', ')}) ${operator} (${places.join(', ')})`
  }
}

function orderBy<Columns, Row, After>({ order }: KeysetList<Columns, Row, After>): string {
  return `order by ${order.map(({ column }) => `h.${column} desc`).join(', ')}`
}

function all(bind: (value: unknown) => string, ...conditions: readonly (readonly Condition[])[]): string {
  return conditions.flatMap(each => each.map(condition => condition(bind))).join(' and ') || 'true'
}

function where(bind: (value: unknown) => string, conditions: readonly Condition[]): string {
  return conditions.length === 0 ? '' : `where ${all(bind, conditions)}`
}

function binder(): { values: unknown[]; bind: (value: unknown) => string } {
  const values: unknown[] = []
  return { values, bind: value => `$${values.push(value)}` }
}
