import type { MigrationInterface, QueryRunner } from 'typeorm';

export class OrdersAndEvents1795300000006 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE orders (
        id uuid CONSTRAINT orders_pkey PRIMARY KEY,
        user_id uuid NOT NULL CONSTRAINT orders_user_id_fkey REFERENCES users (id) ON DELETE CASCADE,
        item text NOT NULL,
        quantity integer NOT NULL CONSTRAINT orders_quantity_positive CHECK (quantity > 0),
        created_at timestamptz NOT NULL
      );
      CREATE INDEX orders_user_id_idx ON orders (user_id, id);

      CREATE TABLE events (
        id uuid CONSTRAINT events_pkey PRIMARY KEY,
        user_id uuid NOT NULL CONSTRAINT events_user_id_fkey REFERENCES users (id) ON DELETE CASCADE,
        api_key_id uuid NOT NULL,
        type text NOT NULL,
        data jsonb,
        created_at timestamptz NOT NULL
      );
      CREATE INDEX events_user_id_idx ON events (user_id, id);
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`DROP TABLE events, orders`);
  }
}
