import type { MigrationInterface, QueryRunner } from 'typeorm'

export class RegistryMigration implements MigrationInterface {
  name = 'Registry1700000000001'

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE tenants (
        id text PRIMARY KEY,
        version integer NOT NULL,
        status text NOT NULL CHECK (status IN ('active', 'deleted'))
      )`)
    await runner.query(`
      CREATE TABLE webhooks (
        id text PRIMARY KEY,
        tenant text NOT NULL REFERENCES tenants (id),
        version integer NOT NULL,
        status text NOT NULL CHECK (status IN ('pending', 'active', 'paused', 'disabled', 'deleted')),
        url text NOT NULL,
        method text NOT NULL,
        events text[] NOT NULL,
        filter jsonb,
        format text NOT NULL,
        sealed_secrets text[] NOT NULL,
        retry_policy jsonb NOT NULL,
        description text,
        metadata jsonb NOT NULL,
        created_at timestamptz(3) NOT NULL,
        updated_at timestamptz(3) NOT NULL,
        deleted_at timestamptz(3),
        CHECK ((status = 'deleted') = (deleted_at IS NOT NULL))
      )`)
    // The list's order: newest first, the id deciding between equal times.
    await runner.query(
      'CREATE INDEX webhooks_listed ON webhooks (tenant, created_at DESC, id DESC) WHERE deleted_at IS NULL',
    )
    await runner.query('CREATE INDEX webhooks_deleted ON webhooks (deleted_at) WHERE deleted_at IS NOT NULL')
    await runner.query(`
      CREATE TABLE outbox (
        seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        kind text NOT NULL CHECK (kind IN ('webhook', 'tenant')),
        subject text NOT NULL
      )`)
    await runner.query('CREATE INDEX outbox_subject ON outbox (kind, subject)')
    await runner.query(`INSERT INTO tenants (id, version, status) VALUES ('default', 1, 'active')`)
    await runner.query(`INSERT INTO outbox (kind, subject) VALUES ('tenant', 'default')`)
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE outbox, webhooks, tenants')
  }
}
