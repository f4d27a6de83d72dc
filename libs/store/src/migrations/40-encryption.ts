import type { MigrationInterface, QueryRunner } from 'typeorm'

/** To whom a webhook's bodies are encrypted, null: to nobody. */
export class EncryptionMigration implements MigrationInterface {
  readonly name = 'Encryption1764000000040'

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE webhooks ADD encryption jsonb')
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE webhooks DROP COLUMN encryption')
  }
}
