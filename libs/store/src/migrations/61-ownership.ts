import type { MigrationInterface, QueryRunner } from 'typeorm'

/** What the receiver of a webhook said to the handshake, and when it is asked again. */
export class OwnershipMigration implements MigrationInterface {
  readonly name = 'Ownership1764000000061'

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE webhooks
        ADD ownership jsonb,
        ADD verify_at timestamptz(3),
        ADD verify_claimed_at timestamptz(3)`)
    await runner.query('CREATE INDEX webhooks_to_verify ON webhooks (verify_at) WHERE verify_at IS NOT NULL')
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(
      'ALTER TABLE webhooks DROP COLUMN ownership, DROP COLUMN verify_at, DROP COLUMN verify_claimed_at',
    )
  }
}
