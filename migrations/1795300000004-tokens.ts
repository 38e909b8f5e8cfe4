import type { MigrationInterface, QueryRunner } from 'typeorm';

export class Tokens1795300000004 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE token_grants (
        sign_in_id uuid CONSTRAINT token_grants_pkey PRIMARY KEY
          CONSTRAINT token_grants_sign_in_id_fkey REFERENCES sign_ins (id) ON DELETE CASCADE,
        client_id text NOT NULL,
        scopes text[] NOT NULL,
        audience text NOT NULL,
        refresh_in text NOT NULL CONSTRAINT token_grants_refresh_in_known CHECK (refresh_in IN ('body', 'cookie'))
      );

      CREATE TABLE refresh_tokens (
        id uuid CONSTRAINT refresh_tokens_pkey PRIMARY KEY,
        sign_in_id uuid NOT NULL
          CONSTRAINT refresh_tokens_sign_in_id_fkey REFERENCES token_grants (sign_in_id) ON DELETE CASCADE,
        token_hash bytea NOT NULL,
        predecessor_id uuid,
        created_at timestamptz NOT NULL,
        expires_at timestamptz NOT NULL,
        used_at timestamptz,
        successor_sealed bytea
      );
      CREATE UNIQUE INDEX refresh_tokens_token_hash_key ON refresh_tokens (token_hash);
      CREATE INDEX refresh_tokens_sign_in_id_idx ON refresh_tokens (sign_in_id);
      -- A family never forks: it has one token that is still to be used.
      CREATE UNIQUE INDEX refresh_tokens_unused_key ON refresh_tokens (sign_in_id) WHERE used_at IS NULL;

      CREATE TABLE signing_keys (
        kid text CONSTRAINT signing_keys_pkey PRIMARY KEY,
        algorithm text NOT NULL CONSTRAINT signing_keys_algorithm_known CHECK (algorithm IN ('EdDSA', 'ES256')),
        status text NOT NULL CONSTRAINT signing_keys_status_known CHECK (status IN ('next', 'active', 'retired')),
        public_jwk jsonb NOT NULL,
        private_jwk_sealed bytea NOT NULL,
        created_at timestamptz NOT NULL,
        retired_at timestamptz
      );
      CREATE UNIQUE INDEX signing_keys_one_next_key ON signing_keys (algorithm) WHERE status = 'next';
      CREATE UNIQUE INDEX signing_keys_one_active_key ON signing_keys (algorithm) WHERE status = 'active';
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`DROP TABLE signing_keys, refresh_tokens, token_grants`);
  }
}
