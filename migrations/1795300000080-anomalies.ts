import type { MigrationInterface, QueryRunner } from 'typeorm';

export class Anomalies1795300000080 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE anomalies (
        id uuid CONSTRAINT anomalies_pkey PRIMARY KEY,
        user_id uuid NOT NULL CONSTRAINT anomalies_user_id_fkey REFERENCES users (id) ON DELETE CASCADE,
        sign_in_id uuid NOT NULL CONSTRAINT anomalies_sign_in_id_fkey REFERENCES sign_ins (id) ON DELETE CASCADE,
        occasion text NOT NULL,
        signals text[] NOT NULL,
        score integer NOT NULL,
        detected_at timestamptz NOT NULL,
        ip text,
        device text,
        CONSTRAINT anomalies_occasion_known CHECK (occasion IN ('sign-in', 'use'))
      );
      CREATE UNIQUE INDEX anomalies_sign_in_id_occasion_key ON anomalies (sign_in_id, occasion);
      CREATE INDEX anomalies_user_id_idx ON anomalies (user_id);

      CREATE TABLE anomaly_links (
        token_hash bytea CONSTRAINT anomaly_links_pkey PRIMARY KEY,
        anomaly_id uuid NOT NULL CONSTRAINT anomaly_links_anomaly_id_fkey REFERENCES anomalies (id) ON DELETE CASCADE,
        expires_at timestamptz NOT NULL
      );
      CREATE INDEX anomaly_links_anomaly_id_idx ON anomaly_links (anomaly_id);

      CREATE TABLE sign_in_failures (
        user_id uuid CONSTRAINT sign_in_failures_pkey PRIMARY KEY
          CONSTRAINT sign_in_failures_user_id_fkey REFERENCES users (id) ON DELETE CASCADE,
        failures integer NOT NULL,
        last_at timestamptz NOT NULL,
        CONSTRAINT sign_in_failures_positive CHECK (failures > 0)
      );
      CREATE INDEX sign_in_failures_last_at_idx ON sign_in_failures (last_at);

      CREATE TABLE sign_in_codes (
        user_id uuid CONSTRAINT sign_in_codes_pkey PRIMARY KEY
          CONSTRAINT sign_in_codes_user_id_fkey REFERENCES users (id) ON DELETE CASCADE,
        code_sealed bytea NOT NULL,
        expires_at timestamptz NOT NULL
      );
      CREATE INDEX sign_in_codes_expires_at_idx ON sign_in_codes (expires_at);
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`DROP TABLE sign_in_codes, sign_in_failures, anomaly_links, anomalies`);
  }
}
