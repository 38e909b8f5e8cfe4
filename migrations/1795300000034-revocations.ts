import type { MigrationInterface, QueryRunner } from 'typeorm';

export class Revocations1795300000034 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE revocations (
        id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT revocations_pkey PRIMARY KEY,
        kind text NOT NULL CONSTRAINT revocations_kind_form CHECK (kind ~ '^[a-z][a-z-]*$'),
        subject text NOT NULL,
        since timestamptz,
        expires_at timestamptz NOT NULL,
        account text,
        merged boolean NOT NULL DEFAULT false
      );
      CREATE INDEX revocations_expires_at_idx ON revocations (expires_at);
      CREATE INDEX revocations_subject_idx ON revocations (subject);
      CREATE INDEX revocations_account_idx ON revocations (account) WHERE account IS NOT NULL AND NOT merged;
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`DROP TABLE revocations`);
  }
}
