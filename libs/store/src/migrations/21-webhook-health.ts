import type { MigrationInterface, QueryRunner } from 'typeorm'

/** How webhooks that fail have been doing, what has been said of them, and why a webhook is disabled. */
export class WebhookHealthMigration implements MigrationInterface {
  readonly name = 'WebhookHealth1764000000021'

  async up(runner: QueryRunner): Promise<void> {
    // active_since: from when failures count; null: from always.
    await runner.query(`
      ALTER TABLE webhooks
        ADD disable_after_seconds integer CHECK (disable_after_seconds >= 0),
        ADD active_since timestamptz(3),
        ADD disabled_reason jsonb`)
    await runner.query('CREATE SEQUENCE webhook_health_revisions')
    // Times in ms since the epoch, as the attempts have them. since and last are null of one that does not fail.
    await runner.query(`
      CREATE TABLE webhook_health (
        webhook text COLLATE "C" PRIMARY KEY,
        tenant text NOT NULL,
        webhook_version integer NOT NULL,
        since bigint,
        last bigint,
        last_success bigint,
        failures integer NOT NULL,
        counted_ms bigint NOT NULL,
        status_code integer,
        error_class text,
        told text NOT NULL CHECK (told IN ('nothing', 'failing', 'due', 'healthy', 'deleted')),
        revision bigint NOT NULL,
        published boolean NOT NULL,
        CHECK ((since IS NULL) = (last IS NULL))
      )`)
    await runner.query('CREATE INDEX webhook_health_unpublished ON webhook_health (revision) WHERE NOT published')
    // In which minutes somebody was reached, by partition of the attempts: each has one writer.
    await runner.query(`
      CREATE TABLE network_reach (
        minute integer NOT NULL,
        partition integer NOT NULL,
        first_at bigint NOT NULL,
        last_at bigint NOT NULL,
        PRIMARY KEY (minute, partition)
      )`)
    // Events of our own on their way to events.v1.
    await runner.query(`
      CREATE TABLE own_events (
        id text COLLATE "C" PRIMARY KEY,
        tenant text NOT NULL,
        type text NOT NULL,
        webhook text NOT NULL,
        raised_at timestamptz(3) NOT NULL,
        data jsonb NOT NULL
      )`)
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE own_events, network_reach, webhook_health')
    await runner.query('DROP SEQUENCE webhook_health_revisions')
    await runner.query(
      'ALTER TABLE webhooks DROP COLUMN disable_after_seconds, DROP COLUMN active_since, DROP COLUMN disabled_reason',
    )
  }
}
