import type { MigrationInterface, QueryRunner } from 'typeorm'

/**
 * Indexes for the lists of the history, and what statistics are made of. The order of the lists is that
 * of HistoryLists. While they are built for days that are there already, the monitor waits.
 */
export class ReadingMigration implements MigrationInterface {
  readonly name = 'Reading1764000000009'

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of READING_UP) await runner.query(statement)
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const statement of READING_DOWN) await runner.query(statement)
  }
}

export const READING_UP: readonly string[] = [
  `create index history_events_by_tenant on history_events (tenant, day, accepted_at, id, source_hash)`,
  `create index history_events_by_type on history_events (tenant, type, day, accepted_at, id, source_hash)`,
  `create index history_deliveries_by_type on history_deliveries (tenant, event_type, day, accepted_at, id)`,
  // Failures are few: only for them there is an entry more.
  `create index history_deliveries_dead on history_deliveries (tenant, day, accepted_at, id)
     where status in ('exhausted', 'expired', 'gone')`,
  `create index history_deliveries_dead_by_webhook on history_deliveries (tenant, webhook, day, accepted_at, id)
     where status in ('exhausted', 'expired', 'gone')`,
  // Without the day: attempts of one moment lie in the partitions of several days, and are merged.
  `create index history_attempts_by_tenant on history_attempts (tenant, started_at, delivery, run, attempt)`,
  `create index history_attempts_by_webhook on history_attempts (tenant, webhook, started_at, delivery, run, attempt)`,
  `create index history_attempts_by_outcome on history_attempts (tenant, outcome, started_at, delivery, run, attempt)
     where outcome <> 'delivered'`,
  `create index history_attempts_by_webhook_outcome
     on history_attempts (tenant, webhook, outcome, started_at, delivery, run, attempt) where outcome <> 'delivered'`,
  `alter table history_counters add column longest_ms float8 not null default 0`,
  // Of the whole tenant there is a row of its own for each minute, whose webhook is the empty text.
  `insert into history_counters (day, tenant, webhook, minute, outcome, count, duration_ms)
     select day, tenant, '', minute, outcome, sum(count), sum(duration_ms)
       from history_counters group by day, tenant, minute, outcome`,
]

export const READING_DOWN: readonly string[] = [
  `delete from history_counters where webhook = ''`,
  'alter table history_counters drop column longest_ms',
  ...[
    'history_attempts_by_webhook_outcome',
    'history_attempts_by_outcome',
    'history_attempts_by_webhook',
    'history_attempts_by_tenant',
    'history_deliveries_dead_by_webhook',
    'history_deliveries_dead',
    'history_deliveries_by_type',
    'history_events_by_type',
    'history_events_by_tenant',
  ].map(index => `drop index ${index}`),
]
