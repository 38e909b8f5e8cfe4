import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What the housekeeping looks for, in columns that no request on its way writes. */
export class Housekeeping1795300000009 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE INDEX sign_ins_expires_at_idx ON sign_ins (expires_at);
      CREATE INDEX sign_ins_ended_at_idx ON sign_ins (ended_at) WHERE ended_at IS NOT NULL;
      CREATE INDEX refresh_tokens_sealed_idx ON refresh_tokens (used_at) WHERE successor_sealed IS NOT NULL;
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(
      `DROP INDEX sign_ins_expires_at_idx, sign_ins_ended_at_idx, refresh_tokens_sealed_idx`,
    );
  }
}
