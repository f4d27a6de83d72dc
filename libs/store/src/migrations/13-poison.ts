import type { MigrationInterface, QueryRunner } from 'typeorm'

/** Whose poison it is, who set it aside for whom, how often, and when it was redriven. */
export class PoisonMigration implements MigrationInterface {
  readonly name = 'Poison1764000000013'

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of POISON_UP) await runner.query(statement)
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP INDEX history_poison_by_tenant')
    await runner.query(`
      ALTER TABLE history_poison
        DROP partial, DROP tenant, DROP source, DROP reader, DROP webhook, DROP count, DROP previous,
        DROP claimed_until, DROP redriven_at, DROP redriven_by`)
  }
}

export const POISON_UP: readonly string[] = [
  `ALTER TABLE history_poison
     ADD partial boolean NOT NULL DEFAULT false,
     ADD tenant text COLLATE "C",
     ADD source text,
     ADD reader text,
     ADD webhook text,
     ADD count int NOT NULL DEFAULT 1,
     ADD previous text,
     ADD claimed_until timestamptz,
     ADD redriven_at timestamptz,
     ADD redriven_by text`,
  'CREATE INDEX history_poison_by_tenant ON history_poison (tenant, day, at, topic, partition, "offset")',
]
