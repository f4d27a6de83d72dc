import type { MigrationInterface, QueryRunner } from 'typeorm'

/**
 * A secret says beside which protections it was sealed, and the row takes no other one. So a registry that is too old
 * to know of one of them can change much of such a webhook, but not give it a secret that signs without it.
 */
export class BoundSecretsMigration implements MigrationInterface {
  readonly name = 'BoundSecrets1764000000065'

  async up(runner: QueryRunner): Promise<void> {
    const names = PROTECTIONS.map(([column, name]) => `CASE WHEN ${column} IS NULL THEN '' ELSE '${name},' END`)
    await runner.query(
      `ALTER TABLE webhooks ADD protections text NOT NULL GENERATED ALWAYS AS (rtrim(${names.join(' || ')}, ',')) STORED`,
    )
    await runner.query(`
      UPDATE webhooks SET secrets = (
        SELECT jsonb_agg(secret || jsonb_build_object('bound', protections) ORDER BY place)
        FROM jsonb_array_elements(secrets) WITH ORDINALITY AS kept(secret, place))
      WHERE protections <> '' AND secrets <> '[]'`)
    await runner.query(`
      ALTER TABLE webhooks ADD CONSTRAINT webhooks_secrets_bound CHECK (protections = '' OR NOT jsonb_path_exists(
        secrets, '$[*] ? (!exists(@.bound) || @.bound != $protections)', jsonb_build_object('protections', protections)))`)
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE webhooks DROP CONSTRAINT webhooks_secrets_bound, DROP COLUMN protections')
  }
}

/** Columns, and what the domain calls them, in its order. */
const PROTECTIONS = [
  ['encryption', 'encryption'],
  ['authentication', 'authentication'],
  ['tls', 'tls'],
  ['denied_cidrs', 'deniedCidrs'],
  ['signing', 'signing'],
] as const
