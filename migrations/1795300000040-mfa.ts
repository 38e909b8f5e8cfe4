import type { MigrationInterface, QueryRunner } from 'typeorm';

export class Mfa1795300000040 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE totp_factors (
        user_id uuid CONSTRAINT totp_factors_pkey PRIMARY KEY
          CONSTRAINT totp_factors_user_id_fkey REFERENCES users (id) ON DELETE CASCADE,
        secret_sealed bytea NOT NULL,
        created_at timestamptz NOT NULL,
        activated_at timestamptz,
        last_step bigint,
        CONSTRAINT totp_factors_active_has_step CHECK ((activated_at IS NULL) = (last_step IS NULL))
      );

      CREATE TABLE passkeys (
        id uuid CONSTRAINT passkeys_pkey PRIMARY KEY,
        user_id uuid NOT NULL CONSTRAINT passkeys_user_id_fkey REFERENCES users (id) ON DELETE CASCADE,
        credential_id text NOT NULL,
        public_key bytea NOT NULL,
        counter bigint NOT NULL,
        transports text[] NOT NULL,
        name text NOT NULL,
        synced boolean NOT NULL,
        backed_up boolean NOT NULL,
        created_at timestamptz NOT NULL,
        last_used_at timestamptz,
        CONSTRAINT passkeys_backup_needs_sync CHECK (synced OR NOT backed_up)
      );
      CREATE UNIQUE INDEX passkeys_credential_id_key ON passkeys (credential_id);
      CREATE INDEX passkeys_user_id_idx ON passkeys (user_id);

      CREATE TABLE recovery_codes (
        user_id uuid CONSTRAINT recovery_codes_user_id_fkey REFERENCES users (id) ON DELETE CASCADE,
        code_hash bytea,
        CONSTRAINT recovery_codes_pkey PRIMARY KEY (user_id, code_hash)
      );

      CREATE TABLE mfa_challenges (
        token_hash bytea CONSTRAINT mfa_challenges_pkey PRIMARY KEY,
        user_id uuid NOT NULL CONSTRAINT mfa_challenges_user_id_fkey REFERENCES users (id) ON DELETE CASCADE,
        carrier text NOT NULL,
        parameters jsonb NOT NULL,
        password_digest bytea NOT NULL,
        methods text[] NOT NULL,
        attempts integer NOT NULL DEFAULT 0,
        expires_at timestamptz NOT NULL,
        CONSTRAINT mfa_challenges_attempts_bounded CHECK (attempts BETWEEN 0 AND 5)
      );
      CREATE INDEX mfa_challenges_user_id_idx ON mfa_challenges (user_id);
      CREATE INDEX mfa_challenges_expires_at_idx ON mfa_challenges (expires_at);

      CREATE TABLE passkey_challenges (
        challenge_hash bytea CONSTRAINT passkey_challenges_pkey PRIMARY KEY,
        user_id uuid CONSTRAINT passkey_challenges_user_id_fkey REFERENCES users (id) ON DELETE CASCADE,
        expires_at timestamptz NOT NULL
      );
      CREATE INDEX passkey_challenges_user_id_idx ON passkey_challenges (user_id);
      CREATE INDEX passkey_challenges_expires_at_idx ON passkey_challenges (expires_at);
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(
      `DROP TABLE passkey_challenges, mfa_challenges, recovery_codes, passkeys, totp_factors`,
    );
  }
}
