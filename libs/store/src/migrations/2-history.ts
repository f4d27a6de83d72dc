import type { MigrationInterface, QueryRunner } from 'typeorm'

/**
 * History of events, deliveries and attempts, in partitions by the UTC day of acceptance: a day is
 * dropped whole by retention, so nothing is ever deleted row by row. Ids are compared byte by byte
 * (collate "C"), as the writer compares them in memory.
 */
export class HistoryMigration implements MigrationInterface {
  readonly name = 'History1764000000002'

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of HISTORY_UP) await runner.query(statement)
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const statement of HISTORY_DOWN) await runner.query(statement)
  }
}

export const HISTORY_UP: readonly string[] = [
  // The source may be longer than an index entry can be: the key has its hash.
  `create table history_events (
     day date not null,
     tenant text collate "C" not null,
     id text collate "C" not null,
     source_hash bytea not null,
     source text not null,
     type text not null,
     time timestamptz not null,
     attributes jsonb not null,
     contenttype text not null,
     data bytea not null,
     accepted_at timestamptz not null,
     primary key (tenant, id, source_hash, day)
   ) partition by range (day)`,

  // The order of all lists is (day, accepted_at, id), newest first: with the day in front Postgres
  // reads partition after partition and stops at the limit.
  `create table history_deliveries (
     day date not null,
     id text collate "C" not null,
     tenant text collate "C" not null,
     webhook text collate "C" not null,
     run text collate "C" not null,
     event_id text collate "C" not null,
     event_source text not null,
     event_type text not null,
     status text collate "C" not null,
     attempts int not null,
     next_attempt_at timestamptz,
     accepted_at timestamptz not null,
     updated_at timestamptz not null,
     last_error_class text,
     last_status_code int,
     primary key (id, day)
   ) partition by range (day)`,
  `create index history_deliveries_by_tenant on history_deliveries (tenant, day, accepted_at, id)`,
  `create index history_deliveries_by_webhook on history_deliveries (tenant, webhook, day, accepted_at, id)`,
  `create index history_deliveries_by_event on history_deliveries (tenant, event_id)`,
  // Delivered is what nearly all become: only the others are worth an entry more.
  `create index history_deliveries_by_status on history_deliveries (tenant, status, day, accepted_at, id)
     where status <> 'delivered'`,
  `create index history_deliveries_by_webhook_status
     on history_deliveries (tenant, webhook, status, day, accepted_at, id) where status <> 'delivered'`,

  // Event and time of acceptance are on the delivery, which is written in the same transaction.
  `create table history_attempts (
     day date not null,
     delivery text collate "C" not null,
     run text collate "C" not null,
     attempt int not null,
     tenant text collate "C" not null,
     webhook text collate "C" not null,
     webhook_version int not null,
     outcome text collate "C" not null,
     discard_reason text,
     due_at timestamptz not null,
     started_at timestamptz not null,
     finished_at timestamptz not null,
     duration_ms float8 not null,
     url text,
     status_code int,
     error_class text,
     error text,
     advice text,
     response_body text,
     next_attempt_at timestamptz,
     next text,
     trace_id text,
     span_id text,
     primary key (delivery, run, attempt, day)
   ) partition by range (day)`,

  // The day is that of the minute, not of acceptance.
  `create table history_counters (
     day date not null,
     tenant text collate "C" not null,
     webhook text collate "C" not null,
     minute timestamptz not null,
     outcome text collate "C" not null,
     count bigint not null,
     duration_ms float8 not null,
     primary key (tenant, webhook, minute, outcome, day)
   ) partition by range (day)`,

  `create table history_poison (
     day date not null,
     at timestamptz not null,
     topic text collate "C" not null,
     partition int not null,
     "offset" bigint not null,
     reason text not null,
     detail text not null,
     pointers jsonb not null,
     key text,
     headers jsonb not null,
     size bigint not null,
     value bytea not null,
     primary key (day, at, topic, partition, "offset")
   ) partition by range (day)`,

  // What of each partition is in the tables above: moved in the transaction of the rows. The append
  // time (ms) of the last record tells a log that was made anew from one that is read again.
  `create table history_offsets (
     "group" text collate "C" not null,
     topic text collate "C" not null,
     partition int not null,
     next_offset bigint not null,
     last_timestamp bigint not null,
     primary key ("group", topic, partition)
   )`,
]

export const HISTORY_DOWN: readonly string[] = [
  'history_offsets',
  'history_poison',
  'history_counters',
  'history_attempts',
  'history_deliveries',
  'history_events',
].map(table => `drop table ${table}`)
