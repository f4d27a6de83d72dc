import type { MigrationInterface, QueryRunner } from 'typeorm'

/** How a webhook's requests are signed, null: by Standard Webhooks. */
export class SigningMigration implements MigrationInterface {
  readonly name = 'Signing1764000000064'

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE webhooks ADD signing jsonb')
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE webhooks DROP COLUMN signing')
  }
}
