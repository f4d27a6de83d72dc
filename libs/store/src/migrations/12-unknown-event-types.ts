import type { MigrationInterface, QueryRunner } from 'typeorm'

/** What a tenant wants done with events of types that are not in its catalogue. */
export class UnknownEventTypesMigration implements MigrationInterface {
  readonly name = 'UnknownEventTypes1764000000012'

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE tenants
        ADD unknown_event_types text NOT NULL DEFAULT 'accept' CHECK (unknown_event_types IN ('accept', 'refuse'))`)
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE tenants DROP COLUMN unknown_event_types')
  }
}
