import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Rows belong to a subject from now on, which is a user or a service account. */
export class Subjects1795300000010 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE subjects (
        id uuid CONSTRAINT subjects_pkey PRIMARY KEY,
        kind text NOT NULL CONSTRAINT subjects_kind_known CHECK (kind IN ('user', 'service-account'))
      );
      INSERT INTO subjects (id, kind) SELECT id, 'user' FROM users;
      ALTER TABLE users ADD CONSTRAINT users_id_fkey FOREIGN KEY (id) REFERENCES subjects (id) ON DELETE CASCADE;

      CREATE TABLE service_accounts (
        id uuid CONSTRAINT service_accounts_pkey PRIMARY KEY
          CONSTRAINT service_accounts_id_fkey REFERENCES subjects (id) ON DELETE CASCADE,
        name text NOT NULL,
        audience text NOT NULL,
        created_by uuid CONSTRAINT service_accounts_created_by_fkey REFERENCES subjects (id) ON DELETE SET NULL,
        created_at timestamptz NOT NULL
      );
    `);
    for (const table of ['api_keys', 'orders', 'events'])
      await queryRunner.query(`
        ALTER TABLE ${table} RENAME COLUMN user_id TO owner_id;
        ALTER TABLE ${table} DROP CONSTRAINT ${table}_user_id_fkey;
        ALTER TABLE ${table} ADD CONSTRAINT ${table}_owner_id_fkey
          FOREIGN KEY (owner_id) REFERENCES subjects (id) ON DELETE CASCADE;
        ALTER INDEX ${table}_user_id_idx RENAME TO ${table}_owner_id_idx;
      `);
  }

  /** What belongs to service accounts goes with them. */
  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`DELETE FROM subjects WHERE kind = 'service-account'`);
    for (const table of ['api_keys', 'orders', 'events'])
      await queryRunner.query(`
        ALTER INDEX ${table}_owner_id_idx RENAME TO ${table}_user_id_idx;
        ALTER TABLE ${table} DROP CONSTRAINT ${table}_owner_id_fkey;
        ALTER TABLE ${table} RENAME COLUMN owner_id TO user_id;
        ALTER TABLE ${table} ADD CONSTRAINT ${table}_user_id_fkey
          FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE;
      `);
    await queryRunner.query(`
      DROP TABLE service_accounts;
      ALTER TABLE users DROP CONSTRAINT users_id_fkey;
      DROP TABLE subjects;
    `);
  }
}
