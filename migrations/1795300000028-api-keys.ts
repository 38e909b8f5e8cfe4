import type { MigrationInterface, QueryRunner } from 'typeorm';

export class ApiKeys1795300000028 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE api_keys (
        id uuid CONSTRAINT api_keys_pkey PRIMARY KEY,
        owner_id uuid NOT NULL CONSTRAINT api_keys_owner_id_fkey REFERENCES subjects (id) ON DELETE CASCADE,
        name text NOT NULL,
        prefix text NOT NULL,
        last4 text NOT NULL,
        key_hash bytea NOT NULL,
        scopes text[] NOT NULL,
        revision integer NOT NULL DEFAULT 1,
        created_at timestamptz NOT NULL,
        expires_at timestamptz,
        last_used_at timestamptz,
        revoked_at timestamptz,
        resources text[],
        allowed_cidrs cidr[],
        rate_limit_requests integer NOT NULL DEFAULT 600
          CONSTRAINT api_keys_rate_limit_requests_positive CHECK (rate_limit_requests > 0),
        rate_limit_window_seconds integer NOT NULL DEFAULT 60
          CONSTRAINT api_keys_rate_limit_window_positive CHECK (rate_limit_window_seconds > 0),
        last_network cidr,
        lineage_id uuid NOT NULL CONSTRAINT api_keys_lineage_id_fkey REFERENCES api_keys (id),
        rotated_to uuid CONSTRAINT api_keys_rotated_to_fkey REFERENCES api_keys (id) ON DELETE SET NULL
      );
      CREATE UNIQUE INDEX api_keys_key_hash_key ON api_keys (key_hash);
      CREATE UNIQUE INDEX api_keys_rotated_to_key ON api_keys (rotated_to) WHERE rotated_to IS NOT NULL;
      CREATE INDEX api_keys_owner_id_idx ON api_keys (owner_id, id);
      CREATE INDEX api_keys_lineage_id_idx ON api_keys (lineage_id);
      CREATE INDEX api_keys_revoked_at_idx ON api_keys (revoked_at) WHERE revoked_at IS NOT NULL;
      CREATE INDEX api_keys_expires_at_idx ON api_keys (expires_at) WHERE revoked_at IS NULL AND expires_at IS NOT NULL;
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`DROP TABLE api_keys`);
  }
}
