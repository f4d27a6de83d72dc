import type { MigrationInterface, QueryRunner } from 'typeorm'

/** Ranges that a webhook's requests do not go to, and what its connections are made with; null: nothing. */
export class ReceiverTlsMigration implements MigrationInterface {
  readonly name = 'ReceiverTls1764000000048'

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE webhooks ADD denied_cidrs text[], ADD tls jsonb')
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE webhooks DROP COLUMN denied_cidrs, DROP COLUMN tls')
  }
}
