import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Later registrations of an address that nobody has confirmed yet, and links that each confirm one of them. */
export class Registrations1795300000017 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE registrations (
        id uuid CONSTRAINT registrations_pkey PRIMARY KEY,
        user_id uuid NOT NULL CONSTRAINT registrations_user_id_fkey REFERENCES users (id) ON DELETE CASCADE,
        name text,
        password_hash text NOT NULL,
        created_at timestamptz NOT NULL
      );
      CREATE INDEX registrations_user_id_idx ON registrations (user_id);
      CREATE INDEX registrations_created_at_idx ON registrations (created_at);

      ALTER TABLE email_verifications
        ADD COLUMN registration_id uuid
          CONSTRAINT email_verifications_registration_id_fkey REFERENCES registrations (id) ON DELETE CASCADE,
        ADD COLUMN sets_password boolean NOT NULL DEFAULT false,
        ADD COLUMN used_at timestamptz,
        ADD CONSTRAINT email_verifications_one_password CHECK (NOT sets_password OR registration_id IS NULL);
      DROP INDEX email_verifications_user_id_key;
      CREATE INDEX email_verifications_user_id_idx ON email_verifications (user_id);
      CREATE INDEX email_verifications_registration_id_idx ON email_verifications (registration_id);
      CREATE INDEX email_verifications_expires_at_idx ON email_verifications (expires_at);

      ALTER TABLE users ADD COLUMN unused_since timestamptz;
      CREATE INDEX users_unused_since_idx ON users (unused_since) WHERE unused_since IS NOT NULL;
    `);
    // Sign-ins are kept for 30 days: whether an older account was ever used cannot be told, so it stays.
    await queryRunner.query(`
      UPDATE users SET unused_since = created_at
      WHERE email_verified_at IS NULL AND created_at > now() - interval '30 days'
        AND NOT EXISTS (SELECT FROM sign_ins WHERE user_id = users.id)`);
  }

  /** Registrations behind the first one of an address are lost. */
  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      ALTER TABLE users DROP COLUMN unused_since;
      DELETE FROM email_verifications v
      WHERE used_at IS NOT NULL OR sets_password OR registration_id IS NOT NULL OR EXISTS (
        SELECT FROM email_verifications o WHERE o.user_id = v.user_id
          AND (o.expires_at, o.token_hash) > (v.expires_at, v.token_hash));
      DROP INDEX email_verifications_user_id_idx, email_verifications_expires_at_idx;
      CREATE UNIQUE INDEX email_verifications_user_id_key ON email_verifications (user_id);
      ALTER TABLE email_verifications DROP COLUMN registration_id, DROP COLUMN sets_password, DROP COLUMN used_at;
      DROP TABLE registrations;
    `);
  }
}
