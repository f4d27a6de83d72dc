import type { MigrationInterface, QueryRunner } from 'typeorm'

/** What a webhook gets in order; what an older version inserts has none. */
export class OrderingMigration implements MigrationInterface {
  readonly name = 'Ordering1764000000030'

  async up(runner: QueryRunner): Promise<void> {
    await runner.query("ALTER TABLE webhooks ADD ordering text NOT NULL DEFAULT 'none'")
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE webhooks DROP COLUMN ordering')
  }
}
