import type { MigrationInterface, QueryRunner } from 'typeorm';

export class Users1795300000001 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE users (
        id uuid CONSTRAINT users_pkey PRIMARY KEY,
        email text NOT NULL CONSTRAINT users_email_lower CHECK (email = lower(email)),
        name text,
        password_hash text NOT NULL,
        roles text[] NOT NULL DEFAULT '{}',
        status text NOT NULL DEFAULT 'active' CONSTRAINT users_status_known CHECK (status IN ('active', 'disabled')),
        email_verified_at timestamptz,
        created_at timestamptz NOT NULL
      );
      CREATE UNIQUE INDEX users_email_key ON users (email);

      CREATE TABLE email_verifications (
        token_hash bytea CONSTRAINT email_verifications_pkey PRIMARY KEY,
        user_id uuid NOT NULL
          CONSTRAINT email_verifications_user_id_fkey REFERENCES users (id) ON DELETE CASCADE,
        expires_at timestamptz NOT NULL
      );
      CREATE UNIQUE INDEX email_verifications_user_id_key ON email_verifications (user_id);
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`DROP TABLE email_verifications, users`);
  }
}
