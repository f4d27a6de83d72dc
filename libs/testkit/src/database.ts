import { randomBytes } from 'node:crypto'
import pg from 'pg'
import { testDatabaseUrl } from './servers.js'

export interface TestDatabase {
  readonly url: string
  /** Breaks off what is still connected; fails the test run if the database cannot go. */
  drop(): Promise<void>
}

/** An empty database of its own for one spec file. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const server = testDatabaseUrl()
  const name = `t_${randomBytes(6).toString('hex')}`
  await run(server, `CREATE DATABASE ${name}`)
  const url = new URL(server)
  url.pathname = `/${name}`
  return { url: url.href, drop: () => run(server, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`) }
}

async function run(url: string, statement: string): Promise<void> {
  await queryDatabase(url, statement)
}

/** Asks a database once, over a connection of its own. */
export async function queryDatabase<Row>(
  url: string,
  statement: string,
  values: readonly unknown[] = [],
): Promise<readonly Row[]> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 60_000 })
  await client.connect()
  try {
    const { rows } = await client.query(statement, [...values])
    return rows as Row[]
  } finally {
    await client.end()
  }
}
