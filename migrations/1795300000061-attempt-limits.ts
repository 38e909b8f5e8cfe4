import type { MigrationInterface, QueryRunner } from 'typeorm';

export class AttemptLimits1795300000061 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE known_sources (
        source bytea NOT NULL,
        user_id uuid NOT NULL CONSTRAINT known_sources_user_id_fkey REFERENCES users (id) ON DELETE CASCADE,
        kind text NOT NULL CONSTRAINT known_sources_kind_known CHECK (kind IN ('device', 'network')),
        expires_at timestamptz NOT NULL,
        CONSTRAINT known_sources_pkey PRIMARY KEY (source, user_id)
      );
      CREATE INDEX known_sources_user_id_idx ON known_sources (user_id);
      CREATE INDEX known_sources_expires_at_idx ON known_sources (expires_at);
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`DROP TABLE known_sources`);
  }
}
