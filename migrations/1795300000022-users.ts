import type { MigrationInterface, QueryRunner } from 'typeorm';

export class Users1795300000022 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE users (
        id uuid CONSTRAINT users_pkey PRIMARY KEY
          CONSTRAINT users_id_fkey REFERENCES subjects (id) ON DELETE CASCADE,
        email text NOT NULL CONSTRAINT users_email_lower CHECK (email = lower(email)),
        name text,
        password_hash text NOT NULL,
        roles text[] NOT NULL DEFAULT '{}',
        status text NOT NULL DEFAULT 'active' CONSTRAINT users_status_known CHECK (status IN ('active', 'disabled')),
        email_verified_at timestamptz,
        created_at timestamptz NOT NULL,
        unused_since timestamptz
      );
      CREATE UNIQUE INDEX users_email_key ON users (email);
      CREATE INDEX users_unconfirmed_idx ON users (created_at) WHERE email_verified_at IS NULL;
      CREATE INDEX users_unused_since_idx ON users (unused_since) WHERE unused_since IS NOT NULL;

      CREATE TABLE registrations (
        id uuid CONSTRAINT registrations_pkey PRIMARY KEY,
        user_id uuid NOT NULL CONSTRAINT registrations_user_id_fkey REFERENCES users (id) ON DELETE CASCADE,
        name text,
        password_hash text NOT NULL,
        created_at timestamptz NOT NULL
      );
      CREATE INDEX registrations_user_id_idx ON registrations (user_id);
      CREATE INDEX registrations_created_at_idx ON registrations (created_at);

      CREATE TABLE email_verifications (
        token_hash bytea CONSTRAINT email_verifications_pkey PRIMARY KEY,
        user_id uuid NOT NULL
          CONSTRAINT email_verifications_user_id_fkey REFERENCES users (id) ON DELETE CASCADE,
        expires_at timestamptz NOT NULL,
        registration_id uuid
          CONSTRAINT email_verifications_registration_id_fkey REFERENCES registrations (id) ON DELETE CASCADE,
        sets_password boolean NOT NULL DEFAULT false,
        used_at timestamptz,
        CONSTRAINT email_verifications_one_password CHECK (NOT sets_password OR registration_id IS NULL)
      );
      CREATE INDEX email_verifications_user_id_idx ON email_verifications (user_id);
      CREATE INDEX email_verifications_registration_id_idx ON email_verifications (registration_id);
      CREATE INDEX email_verifications_expires_at_idx ON email_verifications (expires_at);
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`DROP TABLE email_verifications, registrations, users`);
  }
}
