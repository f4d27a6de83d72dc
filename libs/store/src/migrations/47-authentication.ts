import type { MigrationInterface, QueryRunner } from 'typeorm'

/** What a webhook's requests show to its receiver, null: nothing but the signature. */
export class AuthenticationMigration implements MigrationInterface {
  readonly name = 'Authentication1764000000047'

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE webhooks ADD authentication jsonb')
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE webhooks DROP COLUMN authentication')
  }
}
