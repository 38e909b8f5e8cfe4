import type { MigrationInterface, QueryRunner } from 'typeorm';

export class Subjects1795300000021 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE subjects (
        id uuid CONSTRAINT subjects_pkey PRIMARY KEY,
        kind text NOT NULL CONSTRAINT subjects_kind_known CHECK (kind IN ('user', 'service-account'))
      );
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`DROP TABLE subjects`);
  }
}
