import type { MigrationInterface, QueryRunner } from 'typeorm'

/** Dead letters that were discarded, and the history by the run that made it. */
export class DeadLettersMigration implements MigrationInterface {
  readonly name = 'DeadLetters1764000000046'

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of DEAD_LETTERS_UP) await runner.query(statement)
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const statement of DEAD_LETTERS_DOWN) await runner.query(statement)
  }
}

const DEAD = `status in ('exhausted', 'expired', 'gone')`
const deadIndexes = (where: string): string[] => [
  'drop index history_deliveries_dead',
  'drop index history_deliveries_dead_by_webhook',
  `create index history_deliveries_dead on history_deliveries (tenant, day, accepted_at, id) where ${where}`,
  `create index history_deliveries_dead_by_webhook on history_deliveries (tenant, webhook, day, accepted_at, id)
     where ${where}`,
]

export const DEAD_LETTERS_UP: readonly string[] = [
  'alter table history_deliveries add discarded_at timestamptz, add discarded_by text',
  // Those that were discarded are not in the way of the open ones.
  ...deadIndexes(`${DEAD} and discarded_at is null`),
  // Live traffic is run 0: only what replays did has an entry.
  `create index history_deliveries_by_run on history_deliveries (tenant, run, day, accepted_at, id) where run <> '0'`,
  `create index history_attempts_by_run on history_attempts (tenant, run, started_at, delivery, attempt)
     where run <> '0'`,
]

const DEAD_LETTERS_DOWN: readonly string[] = [
  'drop index history_attempts_by_run',
  'drop index history_deliveries_by_run',
  ...deadIndexes(DEAD),
  'alter table history_deliveries drop discarded_at, drop discarded_by',
]
