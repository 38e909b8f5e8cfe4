import type { MigrationInterface, QueryRunner } from 'typeorm';

export class Sessions1795300000024 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE sessions (
        sign_in_id uuid CONSTRAINT sessions_pkey PRIMARY KEY
          CONSTRAINT sessions_sign_in_id_fkey REFERENCES sign_ins (id) ON DELETE CASCADE,
        secret_hash bytea NOT NULL
      );
      CREATE UNIQUE INDEX sessions_secret_hash_key ON sessions (secret_hash);
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`DROP TABLE sessions`);
  }
}
