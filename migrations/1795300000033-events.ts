import type { MigrationInterface, QueryRunner } from 'typeorm';

export class Events1795300000033 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE events (
        id uuid CONSTRAINT events_pkey PRIMARY KEY,
        owner_id uuid NOT NULL CONSTRAINT events_owner_id_fkey REFERENCES subjects (id) ON DELETE CASCADE,
        api_key_id uuid NOT NULL,
        type text NOT NULL,
        data jsonb,
        created_at timestamptz NOT NULL
      );
      CREATE INDEX events_owner_id_idx ON events (owner_id, id);
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`DROP TABLE events`);
  }
}
