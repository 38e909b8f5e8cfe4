import type { MigrationInterface, QueryRunner } from 'typeorm';

export class ServiceAccounts1795300000029 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE service_accounts (
        id uuid CONSTRAINT service_accounts_pkey PRIMARY KEY
          CONSTRAINT service_accounts_id_fkey REFERENCES subjects (id) ON DELETE CASCADE,
        name text NOT NULL,
        audience text NOT NULL,
        status text NOT NULL DEFAULT 'active'
          CONSTRAINT service_accounts_status_known CHECK (status IN ('active', 'disabled')),
        created_by uuid CONSTRAINT service_accounts_created_by_fkey REFERENCES users (id) ON DELETE SET NULL,
        created_at timestamptz NOT NULL
      );
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`DROP TABLE service_accounts`);
  }
}
