import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What a key is bound to besides its scopes, and the line of keys that rotation makes. */
export class KeyBounds1795300000011 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      ALTER TABLE api_keys
        ADD COLUMN resources text[],
        ADD COLUMN allowed_cidrs cidr[],
        ADD COLUMN rate_limit_requests integer NOT NULL DEFAULT 600
          CONSTRAINT api_keys_rate_limit_requests_positive CHECK (rate_limit_requests > 0),
        ADD COLUMN rate_limit_window_seconds integer NOT NULL DEFAULT 60
          CONSTRAINT api_keys_rate_limit_window_positive CHECK (rate_limit_window_seconds > 0),
        ADD COLUMN last_network cidr,
        ADD COLUMN lineage_id uuid,
        ADD COLUMN rotated_to uuid
          CONSTRAINT api_keys_rotated_to_fkey REFERENCES api_keys (id) ON DELETE SET NULL;
      UPDATE api_keys SET lineage_id = id;
      ALTER TABLE api_keys ALTER COLUMN lineage_id SET NOT NULL;
      CREATE UNIQUE INDEX api_keys_rotated_to_key ON api_keys (rotated_to) WHERE rotated_to IS NOT NULL;
    `);
  }

  /** A key that was narrowed ends, rather than be all that its scopes allow. */
  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      UPDATE api_keys SET revoked_at = now()
      WHERE revoked_at IS NULL AND (resources IS NOT NULL OR allowed_cidrs IS NOT NULL);
      ALTER TABLE api_keys
        DROP COLUMN resources,
        DROP COLUMN allowed_cidrs,
        DROP COLUMN rate_limit_requests,
        DROP COLUMN rate_limit_window_seconds,
        DROP COLUMN last_network,
        DROP COLUMN rotated_to,
        DROP COLUMN lineage_id;
    `);
  }
}
