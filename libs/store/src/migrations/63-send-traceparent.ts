import type { MigrationInterface, QueryRunner } from 'typeorm'

/** Whether requests of a webhook carry the trace that they belong to. */
export class SendTraceparentMigration implements MigrationInterface {
  readonly name = 'SendTraceparent1764000000063'

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE webhooks ADD send_traceparent boolean NOT NULL DEFAULT false')
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE webhooks DROP COLUMN send_traceparent')
  }
}
