import type { MigrationInterface, QueryRunner } from 'typeorm';

export class Orders1795300000032 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE orders (
        id uuid CONSTRAINT orders_pkey PRIMARY KEY,
        owner_id uuid NOT NULL CONSTRAINT orders_owner_id_fkey REFERENCES subjects (id) ON DELETE CASCADE,
        item text NOT NULL,
        quantity integer NOT NULL CONSTRAINT orders_quantity_positive CHECK (quantity > 0),
        created_at timestamptz NOT NULL
      );
      CREATE INDEX orders_owner_id_idx ON orders (owner_id, id);
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`DROP TABLE orders`);
  }
}
