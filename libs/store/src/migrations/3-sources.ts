import type { MigrationInterface, QueryRunner } from 'typeorm'

/** Topics of the user's own that events are made of. */
export class SourcesMigration implements MigrationInterface {
  readonly name = 'Sources1764000000003'

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE sources (
        id text PRIMARY KEY,
        version integer NOT NULL,
        status text NOT NULL CHECK (status IN ('active', 'paused', 'deleted')),
        definition jsonb NOT NULL,
        since timestamptz(3) NOT NULL,
        created_at timestamptz(3) NOT NULL,
        updated_at timestamptz(3) NOT NULL,
        deleted_at timestamptz(3),
        CHECK ((status = 'deleted') = (deleted_at IS NOT NULL))
      )`)
    await runner.query('CREATE INDEX sources_listed ON sources (created_at DESC, id DESC) WHERE deleted_at IS NULL')
    await runner.query('CREATE INDEX sources_deleted ON sources (deleted_at) WHERE deleted_at IS NOT NULL')
    // Which kinds there are is known to the code that publishes them.
    await runner.query('ALTER TABLE outbox DROP CONSTRAINT IF EXISTS outbox_kind_check')
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DELETE FROM outbox WHERE kind = 'source'`)
    await runner.query('DROP TABLE sources')
  }
}
