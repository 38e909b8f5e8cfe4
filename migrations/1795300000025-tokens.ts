import type { MigrationInterface, QueryRunner } from 'typeorm';

export class Tokens1795300000025 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE token_grants (
        sign_in_id uuid CONSTRAINT token_grants_pkey PRIMARY KEY
          CONSTRAINT token_grants_sign_in_id_fkey REFERENCES sign_ins (id) ON DELETE CASCADE,
        client_id text NOT NULL,
        scopes text[] NOT NULL,
        audience text NOT NULL,
        refresh_in text NOT NULL CONSTRAINT token_grants_refresh_in_known CHECK (refresh_in IN ('body', 'cookie')),
        format text NOT NULL DEFAULT 'jwt'
          CONSTRAINT token_grants_format_known CHECK (format IN ('jwt', 'opaque'))
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
      CREATE INDEX refresh_tokens_sealed_idx ON refresh_tokens (used_at) WHERE successor_sealed IS NOT NULL;
      -- A family never forks: it has one token that is still to be used.
      CREATE UNIQUE INDEX refresh_tokens_unused_key ON refresh_tokens (sign_in_id) WHERE used_at IS NULL;
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`DROP TABLE refresh_tokens, token_grants`);
  }
}
