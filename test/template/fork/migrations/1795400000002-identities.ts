import type { MigrationInterface, QueryRunner } from 'typeorm';

export class Identities1795400000002 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE identities (
        id uuid CONSTRAINT identities_pkey PRIMARY KEY,
        subject text NOT NULL,
        user_id uuid NOT NULL CONSTRAINT identities_user_id_fkey REFERENCES users (id) ON DELETE CASCADE
      );
      CREATE UNIQUE INDEX identities_subject_key ON identities (subject);
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`DROP TABLE identities`);
  }
}
