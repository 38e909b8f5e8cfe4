import type { MigrationInterface, QueryRunner } from 'typeorm';

export class MailWithLinks1795300000050 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      ALTER TABLE queued_mails
        ALTER COLUMN subject DROP NOT NULL,
        ALTER COLUMN text DROP NOT NULL,
        ADD COLUMN kind text,
        ADD COLUMN about uuid,
        ADD CONSTRAINT queued_mails_text_or_kind CHECK (
          CASE WHEN kind IS NULL THEN subject IS NOT NULL AND text IS NOT NULL AND about IS NULL
          ELSE subject IS NULL AND text IS NULL END);
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      DELETE FROM queued_mails WHERE kind IS NOT NULL;
      ALTER TABLE queued_mails
        DROP COLUMN kind,
        DROP COLUMN about,
        ALTER COLUMN subject SET NOT NULL,
        ALTER COLUMN text SET NOT NULL;
    `);
  }
}
