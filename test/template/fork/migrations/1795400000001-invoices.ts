import type { MigrationInterface, QueryRunner } from 'typeorm';

export class Invoices1795400000001 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE invoices (
        id uuid CONSTRAINT invoices_pkey PRIMARY KEY,
        owner_id uuid NOT NULL CONSTRAINT invoices_owner_id_fkey REFERENCES subjects (id) ON DELETE CASCADE,
        customer text NOT NULL,
        cents integer NOT NULL CONSTRAINT invoices_cents_positive CHECK (cents > 0),
        currency text NOT NULL,
        document bytea,
        created_at timestamptz NOT NULL,
        paid_at timestamptz
      );
      CREATE INDEX invoices_owner_id_idx ON invoices (owner_id, id);
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`DROP TABLE invoices`);
  }
}
