import type { MigrationInterface, QueryRunner } from 'typeorm';

export class ApiKeyUsage1795300000030 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE api_key_usage (
        api_key_id uuid NOT NULL CONSTRAINT api_key_usage_api_key_id_fkey REFERENCES api_keys (id) ON DELETE CASCADE,
        hour timestamptz NOT NULL,
        status_class smallint NOT NULL CONSTRAINT api_key_usage_status_class_known CHECK (status_class BETWEEN 1 AND 5),
        requests bigint NOT NULL,
        refusals bigint NOT NULL,
        CONSTRAINT api_key_usage_pkey PRIMARY KEY (api_key_id, hour, status_class)
      );
      CREATE INDEX api_key_usage_hour_idx ON api_key_usage (hour);

      CREATE TABLE usage_writers (
        id uuid CONSTRAINT usage_writers_pkey PRIMARY KEY,
        sequence bigint NOT NULL,
        written_at timestamptz NOT NULL
      );
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`DROP TABLE api_key_usage, usage_writers`);
  }
}
