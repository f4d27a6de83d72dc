import type { MigrationInterface, QueryRunner } from 'typeorm'

/** What a webhook asks of its connections, null: nothing; and what an attempt says of its own. */
export class EgressMigration implements MigrationInterface {
  readonly name = 'Egress1764000000017'

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE webhooks ADD allowed_cidrs text[], ADD min_tls_version text')
    await runner.query(WIRE_UP)
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE history_attempts DROP COLUMN wire')
    await runner.query('ALTER TABLE webhooks DROP COLUMN allowed_cidrs, DROP COLUMN min_tls_version')
  }
}

/** By itself, for tests of the history alone. */
export const WIRE_UP = 'ALTER TABLE history_attempts ADD wire jsonb'
