import type { MigrationInterface, QueryRunner } from 'typeorm';

export class SignIns1795300000023 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE sign_ins (
        id uuid CONSTRAINT sign_ins_pkey PRIMARY KEY,
        user_id uuid NOT NULL CONSTRAINT sign_ins_user_id_fkey REFERENCES users (id) ON DELETE CASCADE,
        carrier text NOT NULL CONSTRAINT sign_ins_carrier_form CHECK (carrier ~ '^[a-z][a-z-]*$'),
        amr text[] NOT NULL,
        auth_time timestamptz NOT NULL,
        second_factor_at timestamptz,
        created_at timestamptz NOT NULL,
        last_seen_at timestamptz NOT NULL,
        idle_expires_at timestamptz NOT NULL,
        expires_at timestamptz NOT NULL,
        ip text,
        user_agent text,
        ended_at timestamptz,
        end_reason text,
        CONSTRAINT sign_ins_end_has_reason CHECK ((ended_at IS NULL) = (end_reason IS NULL))
      );
      CREATE INDEX sign_ins_user_id_idx ON sign_ins (user_id, id);
      CREATE INDEX sign_ins_expires_at_idx ON sign_ins (expires_at);
      CREATE INDEX sign_ins_ended_at_idx ON sign_ins (ended_at) WHERE ended_at IS NOT NULL;
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`DROP TABLE sign_ins`);
  }
}
