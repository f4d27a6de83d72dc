import type { MigrationInterface, QueryRunner } from 'typeorm'

/** How far a request with an Idempotency-Key came: the row is marked in the transaction of its change. */
export class IdempotencyMigration implements MigrationInterface {
  readonly name = 'Idempotency1764000000011'

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE idempotency
        ADD progress text NOT NULL DEFAULT 'begun' CHECK (progress IN ('begun', 'changed', 'lost'))`)
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE idempotency DROP COLUMN progress')
  }
}
