import type { MigrationInterface, QueryRunner } from 'typeorm'

/** Event types of tenants and of the platform, and every version of their schemas. */
export class EventTypesMigration implements MigrationInterface {
  readonly name = 'EventTypes1764000000006'

  async up(runner: QueryRunner): Promise<void> {
    // json, not jsonb: a schema is given back as it was written, in the order of its author.
    await runner.query(`
      CREATE TABLE event_types (
        id text COLLATE "C" PRIMARY KEY,
        tenant text REFERENCES tenants (id),
        type text COLLATE "C" NOT NULL,
        version integer NOT NULL,
        status text NOT NULL CHECK (status IN ('active', 'deprecated', 'archived', 'deleted')),
        mode text NOT NULL CHECK (mode IN ('off', 'warn', 'enforce')),
        description text,
        schema_version integer NOT NULL,
        schema json,
        example json,
        created_at timestamptz(3) NOT NULL,
        updated_at timestamptz(3) NOT NULL,
        deleted_at timestamptz(3),
        CHECK ((status = 'deleted') = (deleted_at IS NOT NULL)),
        CHECK ((schema_version = 0) = (schema IS NULL))
      )`)
    await runner.query('CREATE INDEX event_types_listed ON event_types (tenant, type) WHERE deleted_at IS NULL')
    await runner.query('CREATE INDEX event_types_deleted ON event_types (deleted_at) WHERE deleted_at IS NOT NULL')
    await runner.query(`
      CREATE TABLE event_type_versions (
        event_type text COLLATE "C" NOT NULL REFERENCES event_types (id) ON DELETE CASCADE,
        number integer NOT NULL,
        schema json NOT NULL,
        example json,
        breaks jsonb NOT NULL,
        created_at timestamptz(3) NOT NULL,
        PRIMARY KEY (event_type, number)
      )`)
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DELETE FROM outbox WHERE kind = 'event_type'`)
    await runner.query('DROP TABLE event_type_versions, event_types')
  }
}
