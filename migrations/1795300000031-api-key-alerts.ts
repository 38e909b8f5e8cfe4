import type { MigrationInterface, QueryRunner } from 'typeorm';

export class ApiKeyAlerts1795300000031 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE api_key_networks (
        lineage_id uuid NOT NULL
          CONSTRAINT api_key_networks_lineage_id_fkey REFERENCES api_keys (id) ON DELETE CASCADE,
        network cidr NOT NULL,
        last_seen_at timestamptz NOT NULL,
        CONSTRAINT api_key_networks_pkey PRIMARY KEY (lineage_id, network)
      );
      CREATE INDEX api_key_networks_last_seen_at_idx ON api_key_networks (last_seen_at);

      CREATE TABLE api_key_anomalies (
        lineage_id uuid NOT NULL
          CONSTRAINT api_key_anomalies_lineage_id_fkey REFERENCES api_keys (id) ON DELETE CASCADE,
        api_key_id uuid NOT NULL
          CONSTRAINT api_key_anomalies_api_key_id_fkey REFERENCES api_keys (id) ON DELETE CASCADE,
        kind text NOT NULL CONSTRAINT api_key_anomalies_kind_known
          CHECK (kind IN ('new-network', 'volume-spike', 'refusal-burst')),
        about text NOT NULL,
        observed bigint,
        usual bigint,
        noticed_at timestamptz NOT NULL,
        mailed_at timestamptz,
        CONSTRAINT api_key_anomalies_pkey PRIMARY KEY (lineage_id, kind, about)
      );
      CREATE INDEX api_key_anomalies_api_key_id_idx ON api_key_anomalies (api_key_id);
      CREATE INDEX api_key_anomalies_noticed_at_idx ON api_key_anomalies (noticed_at);
      CREATE INDEX api_key_anomalies_unmailed_idx ON api_key_anomalies (noticed_at) WHERE mailed_at IS NULL;

      CREATE TABLE api_key_warning_mails (
        api_key_id uuid NOT NULL
          CONSTRAINT api_key_warning_mails_api_key_id_fkey REFERENCES api_keys (id) ON DELETE CASCADE,
        warning text NOT NULL,
        mailed_at timestamptz NOT NULL,
        CONSTRAINT api_key_warning_mails_pkey PRIMARY KEY (api_key_id, warning)
      );
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`DROP TABLE api_key_networks, api_key_anomalies, api_key_warning_mails`);
  }
}
