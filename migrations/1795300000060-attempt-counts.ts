import type { MigrationInterface, QueryRunner } from 'typeorm';

export class AttemptCounts1795300000060 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE attempt_counts (
        subject bytea CONSTRAINT attempt_counts_pkey PRIMARY KEY,
        attempts integer NOT NULL CONSTRAINT attempt_counts_attempts_not_negative CHECK (attempts >= 0),
        counted_at timestamptz NOT NULL,
        expires_at timestamptz NOT NULL
      ) WITH (fillfactor = 70);
      CREATE INDEX attempt_counts_expires_at_idx ON attempt_counts (expires_at);
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`DROP TABLE attempt_counts`);
  }
}
