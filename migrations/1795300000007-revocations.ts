import type { MigrationInterface, QueryRunner } from 'typeorm';

export class Revocations1795300000007 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE revocations (
        id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT revocations_pkey PRIMARY KEY,
        kind text NOT NULL CONSTRAINT revocations_kind_known
          CHECK (kind IN ('sign-in', 'renewal', 'user', 'api-key', 'token', 'signing-key')),
        subject text NOT NULL,
        since timestamptz,
        expires_at timestamptz NOT NULL
      );
      CREATE INDEX revocations_expires_at_idx ON revocations (expires_at);
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`DROP TABLE revocations`);
  }
}
