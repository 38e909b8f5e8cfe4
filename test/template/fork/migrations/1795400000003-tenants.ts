import type { MigrationInterface, QueryRunner } from 'typeorm';

export class Tenants1795400000003 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE tenant_members (
        tenant text NOT NULL,
        subject_id uuid NOT NULL CONSTRAINT tenant_members_subject_id_fkey REFERENCES subjects (id) ON DELETE CASCADE,
        CONSTRAINT tenant_members_pkey PRIMARY KEY (tenant, subject_id)
      );
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`DROP TABLE tenant_members`);
  }
}
