import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Whose each revocation is, so that many of one account count as one. */
export class MergedRevocations1795300000015 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      ALTER TABLE revocations
        ADD COLUMN account text,
        ADD COLUMN merged boolean NOT NULL DEFAULT false;
      CREATE INDEX revocations_subject_idx ON revocations (subject);
      CREATE INDEX revocations_account_idx ON revocations (account) WHERE account IS NOT NULL AND NOT merged;
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      DROP INDEX revocations_subject_idx, revocations_account_idx;
      ALTER TABLE revocations DROP COLUMN account, DROP COLUMN merged;
    `);
  }
}
