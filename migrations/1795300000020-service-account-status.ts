import type { MigrationInterface, QueryRunner } from 'typeorm';

/** A service account can be disabled. */
export class ServiceAccountStatus1795300000020 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      ALTER TABLE service_accounts ADD COLUMN status text NOT NULL DEFAULT 'active'
        CONSTRAINT service_accounts_status_known CHECK (status IN ('active', 'disabled'));
    `);
  }

  /** The keys of disabled accounts are revoked: without the column they would work again. */
  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      UPDATE api_keys SET revoked_at = now() FROM service_accounts a
        WHERE a.id = owner_id AND a.status = 'disabled' AND revoked_at IS NULL;
      ALTER TABLE service_accounts DROP COLUMN status;
    `);
  }
}
