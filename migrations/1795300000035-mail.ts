import type { MigrationInterface, QueryRunner } from 'typeorm';

export class Mail1795300000035 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE queued_mails (
        id uuid CONSTRAINT queued_mails_pkey PRIMARY KEY,
        recipient text NOT NULL,
        subject text NOT NULL,
        text text NOT NULL,
        queued_at timestamptz NOT NULL,
        next_attempt_at timestamptz NOT NULL
      );
      CREATE INDEX queued_mails_next_attempt_at_idx ON queued_mails (next_attempt_at);
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`DROP TABLE queued_mails`);
  }
}
