import type { MigrationInterface, QueryRunner } from 'typeorm'

/** Alerts of every kind of rule, what the rules are made of, and the notifications that tell of alerts. */
export class AlertRulesMigration implements MigrationInterface {
  readonly name = 'AlertRules1764000000062'

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of UP) await runner.query(statement)
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const statement of DOWN) await runner.query(statement)
  }
}

const UP: readonly string[] = [
  `ALTER TABLE alerts
    ADD metric text COLLATE "C",
    ADD subject text COLLATE "C" NOT NULL DEFAULT '',
    ADD value float8,
    ADD threshold float8,
    ADD details jsonb NOT NULL DEFAULT '{}'`,
  `UPDATE alerts SET metric = rule, threshold = success_rate,
    value = delivered / greatest(attempts, 1)::float8,
    details = jsonb_build_object('attempts', attempts, 'delivered', delivered)`,
  `ALTER TABLE alerts
    ALTER metric SET NOT NULL, ALTER value SET NOT NULL, ALTER threshold SET NOT NULL,
    DROP attempts, DROP delivered, DROP success_rate`,
  'DROP INDEX alerts_firing',
  `CREATE UNIQUE INDEX alerts_firing ON alerts (rule, coalesce(tenant, ''), coalesce(webhook, ''), subject)
    WHERE resolved_at IS NULL`,
  // Whose threshold is crossed, and not yet for as long as its rule says.
  `CREATE TABLE alert_pending (
    name text COLLATE "C" PRIMARY KEY,
    since timestamptz(3) NOT NULL
  )`,
  // What is counted for alerts, in steps of ten seconds. part: who counts, where the counts are not of the history.
  `CREATE TABLE alert_signals (
    signal text NOT NULL,
    at timestamptz(3) NOT NULL,
    tenant text COLLATE "C" NOT NULL,
    webhook text COLLATE "C" NOT NULL,
    part text COLLATE "C" NOT NULL,
    count bigint NOT NULL,
    PRIMARY KEY (signal, at, tenant, webhook, part)
  )`,
  'CREATE INDEX alert_signals_by_time ON alert_signals (at)',
  // What the receivers of webhooks have shown last.
  `CREATE TABLE receiver_certificates (
    webhook text COLLATE "C" PRIMARY KEY,
    tenant text COLLATE "C" NOT NULL,
    expires_at timestamptz(3) NOT NULL
  )`,
  'CREATE INDEX receiver_certificates_by_end ON receiver_certificates (expires_at)',
  // Rules, channels and silences: one store, because they are read together at every look.
  `CREATE TABLE alert_settings (
    id text COLLATE "C" PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('rule', 'channel', 'silence')),
    tenant text COLLATE "C",
    version integer NOT NULL,
    definition jsonb NOT NULL,
    sealed text,
    created_at timestamptz(3) NOT NULL,
    updated_at timestamptz(3) NOT NULL
  )`,
  'CREATE INDEX alert_settings_by_owner ON alert_settings (kind, tenant, created_at, id)',
  // alert is null of a test.
  `CREATE TABLE alert_notifications (
    seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    alert bigint REFERENCES alerts ON DELETE CASCADE,
    channel text COLLATE "C" NOT NULL REFERENCES alert_settings ON DELETE CASCADE,
    what text NOT NULL CHECK (what IN ('firing', 'repeat', 'resolved', 'test')),
    status text NOT NULL CHECK (status IN ('waiting', 'sent', 'failed', 'silenced')),
    due_at timestamptz(3) NOT NULL,
    claimed_until timestamptz(3),
    tries integer NOT NULL DEFAULT 0,
    error text,
    created_at timestamptz(3) NOT NULL,
    ended_at timestamptz(3)
  )`,
  `CREATE INDEX alert_notifications_waiting ON alert_notifications (channel, due_at) WHERE status = 'waiting'`,
  'CREATE INDEX alert_notifications_by_alert ON alert_notifications (alert, seq)',
]

const DOWN: readonly string[] = [
  'DROP TABLE alert_notifications, alert_settings, receiver_certificates, alert_signals, alert_pending',
  // Older programs know success rates alone.
  `DELETE FROM alerts WHERE rule NOT IN ('webhook_success_rate', 'tenant_success_rate', 'platform_success_rate')`,
  'DROP INDEX alerts_firing',
  `ALTER TABLE alerts ADD attempts bigint, ADD delivered bigint, ADD success_rate float8`,
  `UPDATE alerts SET success_rate = threshold, attempts = coalesce((details ->> 'attempts')::bigint, 0),
    delivered = coalesce((details ->> 'delivered')::bigint, 0)`,
  `ALTER TABLE alerts ALTER attempts SET NOT NULL, ALTER delivered SET NOT NULL, ALTER success_rate SET NOT NULL,
    DROP metric, DROP subject, DROP value, DROP threshold, DROP details`,
  `CREATE UNIQUE INDEX alerts_firing ON alerts (rule, coalesce(tenant, ''), coalesce(webhook, ''))
    WHERE resolved_at IS NULL`,
]
