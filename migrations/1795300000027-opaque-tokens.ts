import type { MigrationInterface, QueryRunner } from 'typeorm';

export class OpaqueTokens1795300000027 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE access_tokens (
        token_hash bytea CONSTRAINT access_tokens_pkey PRIMARY KEY,
        id uuid NOT NULL,
        sign_in_id uuid NOT NULL
          CONSTRAINT access_tokens_sign_in_id_fkey REFERENCES sign_ins (id) ON DELETE CASCADE,
        scopes text[] NOT NULL,
        audience text NOT NULL,
        client_id text NOT NULL,
        auth_time timestamptz NOT NULL,
        issued_at timestamptz NOT NULL,
        expires_at timestamptz NOT NULL,
        revoked_at timestamptz
      );
      CREATE UNIQUE INDEX access_tokens_id_key ON access_tokens (id);
      CREATE INDEX access_tokens_sign_in_id_idx ON access_tokens (sign_in_id);
      CREATE INDEX access_tokens_expires_at_idx ON access_tokens (expires_at);
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`DROP TABLE access_tokens`);
  }
}
