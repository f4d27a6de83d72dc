import type { MigrationInterface, QueryRunner } from 'typeorm'

/** Alerts: one row from when it fires; what fires now is what was not resolved. */
export class AlertsMigration implements MigrationInterface {
  readonly name = 'Alerts1764000000060'

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE alerts (
        seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        rule text COLLATE "C" NOT NULL,
        severity text NOT NULL,
        tenant text COLLATE "C",
        webhook text COLLATE "C",
        attempts bigint NOT NULL,
        delivered bigint NOT NULL,
        success_rate float8 NOT NULL,
        window_seconds integer NOT NULL,
        fired_at timestamptz(3) NOT NULL,
        resolved_at timestamptz(3),
        resolved_by text
      )`)
    await runner.query(`
      CREATE UNIQUE INDEX alerts_firing ON alerts (rule, coalesce(tenant, ''), coalesce(webhook, ''))
        WHERE resolved_at IS NULL`)
    await runner.query('CREATE INDEX alerts_by_tenant ON alerts (tenant, seq)')
    // The rules look at the last minutes of all.
    await runner.query('CREATE INDEX history_counters_by_minute ON history_counters (minute)')
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP INDEX history_counters_by_minute')
    await runner.query('DROP TABLE alerts')
  }
}
