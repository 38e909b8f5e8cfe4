import type { MigrationInterface, QueryRunner } from 'typeorm';

export class SigningKeys1795300000026 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
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
    await queryRunner.query(`DROP TABLE signing_keys`);
  }
}
