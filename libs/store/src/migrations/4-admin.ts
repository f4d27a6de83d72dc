import type { MigrationInterface, QueryRunner } from 'typeorm'

/** Keys, audit, tenants with quotas, and webhooks with headers, secrets of their own life and a uid. */
export class AdminMigration implements MigrationInterface {
  readonly name = 'Admin1764000000004'

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of UP) await runner.query(statement)
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const statement of DOWN) await runner.query(statement)
  }
}

const UP: readonly string[] = [
  // Which kinds there are is known to the code that publishes them.
  `ALTER TABLE outbox DROP CONSTRAINT IF EXISTS outbox_kind_check`,

  `ALTER TABLE tenants DROP CONSTRAINT tenants_status_check`,
  `ALTER TABLE tenants
     ADD CHECK (status IN ('active', 'deleting', 'deleted')),
     ADD description text,
     ADD quotas jsonb NOT NULL DEFAULT '{}',
     ADD deletion jsonb,
     ADD created_at timestamptz(3) NOT NULL DEFAULT now(),
     ADD updated_at timestamptz(3) NOT NULL DEFAULT now()`,

  `CREATE TABLE keys (
     id text PRIMARY KEY,
     tenant text REFERENCES tenants (id),
     version integer NOT NULL,
     status text NOT NULL CHECK (status IN ('active', 'deleted')),
     name text NOT NULL,
     hash text NOT NULL,
     prefix text NOT NULL,
     roles text[] NOT NULL,
     allowed_ips text[] NOT NULL,
     expires_at timestamptz(3),
     last_used_at timestamptz(3),
     created_at timestamptz(3) NOT NULL,
     updated_at timestamptz(3) NOT NULL,
     deleted_at timestamptz(3),
     CHECK ((status = 'deleted') = (deleted_at IS NOT NULL))
   )`,
  `CREATE UNIQUE INDEX keys_hash ON keys (hash)`,
  `CREATE INDEX keys_listed ON keys (tenant, created_at DESC, id DESC) WHERE deleted_at IS NULL`,
  `CREATE INDEX keys_deleted ON keys (deleted_at) WHERE deleted_at IS NOT NULL`,

  `ALTER TABLE webhooks
     ADD uid text,
     ADD sealed_headers jsonb NOT NULL DEFAULT '{}',
     ADD secrets jsonb NOT NULL DEFAULT '[]'`,
  // Newest first, as sealed_secrets had them. Their ids have only to differ within the webhook.
  `UPDATE webhooks w SET secrets = coalesce(
     (SELECT jsonb_agg(jsonb_build_object(
        'id', 'secret_' || substr(md5(w.id || s.n), 1, 26), 'sealed', s.sealed,
        'createdAt', to_char(w.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), 'expiresAt', NULL)
        ORDER BY s.n)
      FROM unnest(w.sealed_secrets) WITH ORDINALITY AS s (sealed, n)), '[]')`,
  `ALTER TABLE webhooks DROP COLUMN sealed_secrets`,
  `CREATE UNIQUE INDEX webhooks_uid ON webhooks (tenant, uid) WHERE deleted_at IS NULL AND uid IS NOT NULL`,
  // When the next of its secrets ends: what the sweep of the registry looks for.
  `ALTER TABLE webhooks ADD next_secret_end timestamptz(3)`,
  `CREATE INDEX webhooks_secret_end ON webhooks (next_secret_end) WHERE next_secret_end IS NOT NULL`,

  `CREATE TABLE audit (
     seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
     at timestamptz(3) NOT NULL DEFAULT now(),
     tenant text,
     key text NOT NULL,
     address text NOT NULL,
     request_id text NOT NULL,
     action text NOT NULL,
     subject text NOT NULL,
     before jsonb,
     after jsonb
   )`,
  `CREATE INDEX audit_tenant ON audit (tenant, seq DESC)`,
  `CREATE INDEX audit_subject ON audit (subject, seq DESC)`,
  `CREATE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS
     $$ BEGIN RAISE EXCEPTION 'the audit is append-only'; END $$`,
  `CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit
     FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only()`,

  `CREATE TABLE idempotency (
     scope text NOT NULL,
     key text NOT NULL,
     fingerprint text NOT NULL,
     sealed_answer text,
     started_at timestamptz(3) NOT NULL,
     PRIMARY KEY (scope, key)
   )`,
  `CREATE INDEX idempotency_started ON idempotency (started_at)`,
]

const DOWN: readonly string[] = [
  `DROP TABLE idempotency, audit, keys`,
  `DROP FUNCTION audit_is_append_only`,
  `ALTER TABLE webhooks ADD sealed_secrets text[] NOT NULL DEFAULT '{}'`,
  `UPDATE webhooks SET sealed_secrets = ARRAY(
     SELECT s.secret ->> 'sealed' FROM jsonb_array_elements(secrets) WITH ORDINALITY AS s (secret, n) ORDER BY s.n)`,
  `ALTER TABLE webhooks ALTER sealed_secrets DROP DEFAULT`,
  `ALTER TABLE webhooks DROP COLUMN uid, DROP COLUMN sealed_headers, DROP COLUMN secrets, DROP COLUMN next_secret_end`,
  `ALTER TABLE tenants DROP CONSTRAINT tenants_status_check`,
  `UPDATE tenants SET status = 'deleted' WHERE status = 'deleting'`,
  `ALTER TABLE tenants
     ADD CHECK (status IN ('active', 'deleted')),
     DROP COLUMN description, DROP COLUMN quotas, DROP COLUMN deletion, DROP COLUMN created_at, DROP COLUMN updated_at`,
]
