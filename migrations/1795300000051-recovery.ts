import type { MigrationInterface, QueryRunner } from 'typeorm';

export class Recovery1795300000051 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE password_resets (
        token_hash bytea CONSTRAINT password_resets_pkey PRIMARY KEY,
        user_id uuid NOT NULL CONSTRAINT password_resets_user_id_fkey REFERENCES users (id) ON DELETE CASCADE,
        password_digest bytea NOT NULL,
        expires_at timestamptz NOT NULL
      );
      CREATE INDEX password_resets_user_id_idx ON password_resets (user_id);
      CREATE INDEX password_resets_expires_at_idx ON password_resets (expires_at);

      CREATE TABLE email_changes (
        id uuid CONSTRAINT email_changes_pkey PRIMARY KEY,
        user_id uuid NOT NULL CONSTRAINT email_changes_user_id_fkey REFERENCES users (id) ON DELETE CASCADE,
        sign_in_id uuid NOT NULL CONSTRAINT email_changes_sign_in_id_fkey REFERENCES sign_ins (id) ON DELETE CASCADE,
        password_digest bytea NOT NULL,
        old_email text NOT NULL,
        new_email text NOT NULL CONSTRAINT email_changes_new_email_lower CHECK (new_email = lower(new_email)),
        requested_at timestamptz NOT NULL,
        confirmed_at timestamptz
      );
      CREATE INDEX email_changes_user_id_idx ON email_changes (user_id);
      CREATE INDEX email_changes_sign_in_id_idx ON email_changes (sign_in_id);
      CREATE INDEX email_changes_requested_at_idx ON email_changes (requested_at);

      CREATE TABLE email_change_links (
        token_hash bytea CONSTRAINT email_change_links_pkey PRIMARY KEY,
        email_change_id uuid NOT NULL
          CONSTRAINT email_change_links_email_change_id_fkey REFERENCES email_changes (id) ON DELETE CASCADE,
        purpose text NOT NULL CONSTRAINT email_change_links_purpose_known CHECK (purpose IN ('confirm', 'undo')),
        expires_at timestamptz NOT NULL
      );
      CREATE INDEX email_change_links_email_change_id_idx ON email_change_links (email_change_id);
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`DROP TABLE email_change_links, email_changes, password_resets`);
  }
}
