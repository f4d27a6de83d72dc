import type { MigrationInterface, QueryRunner } from 'typeorm'

/** A key is sent, and known by its hash, or it signs, and its secret is kept sealed. */
export class SigningKeysMigration implements MigrationInterface {
  readonly name = 'SigningKeys1764000000044'

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(
      `ALTER TABLE keys ALTER hash DROP NOT NULL, ADD sealed_secret text,
         ADD CONSTRAINT keys_kind CHECK ((hash IS NULL) <> (sealed_secret IS NULL))`,
    )
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DELETE FROM keys WHERE hash IS NULL')
    await runner.query('ALTER TABLE keys DROP CONSTRAINT keys_kind, DROP sealed_secret, ALTER hash SET NOT NULL')
  }
}
