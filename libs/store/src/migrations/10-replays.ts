import type { MigrationInterface, QueryRunner } from 'typeorm'

/** Jobs of the replayer: what each sends, how far it has come, and who works on it until when. */
export class ReplaysMigration implements MigrationInterface {
  readonly name = 'Replays1764000000010'

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE replays (
        id text COLLATE "C" PRIMARY KEY,
        tenant text NOT NULL REFERENCES tenants (id),
        status text NOT NULL CHECK (status IN ('queued', 'running', 'paused', 'done', 'cancelled', 'failed')),
        selection jsonb NOT NULL,
        dry_run boolean NOT NULL,
        rate integer NOT NULL CHECK (rate > 0),
        position jsonb,
        total bigint,
        examined bigint NOT NULL DEFAULT 0,
        matched bigint NOT NULL DEFAULT 0,
        sent bigint NOT NULL DEFAULT 0,
        skipped bigint NOT NULL DEFAULT 0,
        failure text,
        claimed_by text,
        claimed_until timestamptz(3),
        created_at timestamptz(3) NOT NULL,
        updated_at timestamptz(3) NOT NULL,
        finished_at timestamptz(3),
        CHECK ((status IN ('done', 'cancelled', 'failed')) = (finished_at IS NOT NULL))
      )`)
    await runner.query('CREATE INDEX replays_listed ON replays (tenant, created_at DESC, id DESC)')
    // The few that are not finished are asked for every second.
    await runner.query('CREATE INDEX replays_open ON replays (tenant, created_at) WHERE finished_at IS NULL')
    await runner.query('CREATE INDEX replays_finished ON replays (finished_at) WHERE finished_at IS NOT NULL')
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE replays')
  }
}
