import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What is unusual about the use of a key, and what its owner was told. */
export class KeyAlerts1795300000013 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE INDEX api_keys_lineage_id_idx ON api_keys (lineage_id);
      ALTER TABLE api_keys
        ADD CONSTRAINT api_keys_lineage_id_fkey FOREIGN KEY (lineage_id) REFERENCES api_keys (id);

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
    await queryRunner.query(`
      DROP TABLE api_key_networks, api_key_anomalies, api_key_warning_mails;
      ALTER TABLE api_keys DROP CONSTRAINT api_keys_lineage_id_fkey;
      DROP INDEX api_keys_lineage_id_idx;
    `);
  }
}
