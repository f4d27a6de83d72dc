import type { MigrationInterface, QueryRunner } from 'typeorm'

/** How fast a webhook may be sent to; null: as fast as it takes it. */
export class WebhookLimitsMigration implements MigrationInterface {
  readonly name = 'WebhookLimits1764000000008'

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE webhooks ADD rate_limit jsonb, ADD max_concurrency integer')
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE webhooks DROP COLUMN rate_limit, DROP COLUMN max_concurrency')
  }
}
