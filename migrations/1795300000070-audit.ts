import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The tables of the audit log. TypeORM has no words for partitions and triggers, so they have no entities. */
export class Audit1795300000070 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(SUBJECTS);
    await queryRunner.query(EVENTS);
    await queryRunner.query(SEALS);
    await queryRunner.query(APPEND_ONLY);
    await queryRunner.query(PARTITIONS);
    await queryRunner.query(
      `SELECT audit_add_partition(now() + make_interval(months => n)) FROM generate_series(0, 2) AS n`,
    );
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      DROP TRIGGER audit_subject_added ON subjects;
      DROP TABLE audit_events, audit_origins, audit_unsealed, audit_seals, audit_subjects;
      DROP FUNCTION audit_add_subject, audit_queue, audit_refuse, audit_bound, audit_add_partition,
        audit_add_default, audit_drop_partitions;
    `);
  }
}

/** Events name a subject by a random id. Only this table knows whose it is, and it forgets with the account. */
const SUBJECTS = `
  CREATE TABLE audit_subjects (
    id uuid CONSTRAINT audit_subjects_pkey PRIMARY KEY,
    account_id uuid NOT NULL CONSTRAINT audit_subjects_account_id_key UNIQUE
      CONSTRAINT audit_subjects_account_id_fkey REFERENCES subjects (id) ON DELETE CASCADE
  );
  INSERT INTO audit_subjects (id, account_id) SELECT gen_random_uuid(), id FROM subjects;
  CREATE FUNCTION audit_add_subject() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN
    INSERT INTO audit_subjects (id, account_id) VALUES (gen_random_uuid(), NEW.id);
    RETURN NULL;
  END $$;
  CREATE TRIGGER audit_subject_added AFTER INSERT ON subjects
    FOR EACH ROW EXECUTE FUNCTION audit_add_subject();`;

/** The ids are UUIDv7 of the time of the event, so that they sort by time and choose the partition. */
const EVENTS = `
  CREATE TABLE audit_events (
    id uuid CONSTRAINT audit_events_pkey PRIMARY KEY,
    at timestamptz NOT NULL,
    type text NOT NULL,
    result text NOT NULL CONSTRAINT audit_events_result_known CHECK (result IN ('allowed', 'noticed', 'refused')),
    reason text,
    subject_id uuid,
    actor_id uuid,
    mode text,
    credential_id text,
    requests integer NOT NULL CONSTRAINT audit_events_requests_positive CHECK (requests > 0),
    details jsonb NOT NULL
  ) PARTITION BY RANGE (id);
  CREATE INDEX audit_events_subject_id_idx ON audit_events (subject_id, id);
  CREATE INDEX audit_events_type_idx ON audit_events (type, id);

  CREATE TABLE audit_origins (
    event_id uuid CONSTRAINT audit_origins_pkey PRIMARY KEY,
    subject_id uuid CONSTRAINT audit_origins_subject_id_fkey REFERENCES audit_subjects (id) ON DELETE CASCADE,
    ip text,
    user_agent text
  ) PARTITION BY RANGE (event_id);
  CREATE INDEX audit_origins_subject_id_idx ON audit_origins (subject_id);`;

/** A transaction queues its events. So they are sealed after its commit, however late it is. */
const SEALS = `
  CREATE TABLE audit_unsealed (event_id uuid CONSTRAINT audit_unsealed_pkey PRIMARY KEY);
  CREATE FUNCTION audit_queue() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN
    INSERT INTO audit_unsealed (event_id) VALUES (NEW.id);
    RETURN NULL;
  END $$;
  CREATE TRIGGER audit_events_queued AFTER INSERT ON audit_events
    FOR EACH ROW EXECUTE FUNCTION audit_queue();

  CREATE TABLE audit_seals (
    number bigint CONSTRAINT audit_seals_pkey PRIMARY KEY,
    sealed_at timestamptz NOT NULL,
    retired_before uuid,
    event_ids uuid[] NOT NULL,
    links bytea NOT NULL,
    CONSTRAINT audit_seals_links_length CHECK (octet_length(links) = 32 * (1 + cardinality(event_ids)))
  );`;

const APPEND_ONLY = `
  CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
  END $$;
  CREATE TRIGGER audit_events_append_only BEFORE UPDATE OR DELETE ON audit_events
    FOR EACH ROW EXECUTE FUNCTION audit_refuse();
  CREATE TRIGGER audit_events_not_truncated BEFORE TRUNCATE ON audit_events
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();
  CREATE TRIGGER audit_seals_append_only BEFORE UPDATE OR DELETE ON audit_seals
    FOR EACH ROW EXECUTE FUNCTION audit_refuse();
  CREATE TRIGGER audit_seals_not_truncated BEFORE TRUNCATE ON audit_seals
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();
  CREATE TRIGGER audit_subjects_not_changed BEFORE UPDATE ON audit_subjects
    FOR EACH ROW EXECUTE FUNCTION audit_refuse();
  CREATE TRIGGER audit_origins_not_changed BEFORE UPDATE ON audit_origins
    FOR EACH ROW EXECUTE FUNCTION audit_refuse();`;

/** One partition for each month (UTC). The default partitions take what has none, so that no event is refused. */
const PARTITIONS = `
  CREATE FUNCTION audit_bound(moment timestamptz) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
    SELECT rpad(lpad(to_hex(floor(extract(epoch FROM moment) * 1000)::bigint), 12, '0'), 32, '0')::uuid
  $$;

  CREATE FUNCTION audit_add_default() RETURNS void LANGUAGE plpgsql AS $$
  BEGIN
    CREATE TABLE audit_events_default PARTITION OF audit_events DEFAULT;
    CREATE TRIGGER audit_events_default_not_truncated BEFORE TRUNCATE ON audit_events_default
      FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();
    CREATE TABLE audit_origins_default PARTITION OF audit_origins DEFAULT;
  END $$;
  SELECT audit_add_default();

  CREATE FUNCTION audit_add_partition(moment timestamptz) RETURNS void LANGUAGE plpgsql AS $$
  DECLARE
    month timestamp := date_trunc('month', moment AT TIME ZONE 'UTC');
    suffix text := to_char(month, 'YYYY_MM');
    lower_id uuid := audit_bound(month AT TIME ZONE 'UTC');
    upper_id uuid := audit_bound((month + interval '1 month') AT TIME ZONE 'UTC');
  BEGIN
    IF to_regclass('audit_events_' || suffix) IS NOT NULL
      OR EXISTS (SELECT FROM audit_events_default WHERE id >= lower_id AND id < upper_id) THEN RETURN; END IF;
    EXECUTE format('CREATE TABLE %I PARTITION OF audit_events FOR VALUES FROM (%L) TO (%L)',
      'audit_events_' || suffix, lower_id, upper_id);
    EXECUTE format('CREATE TRIGGER %I BEFORE TRUNCATE ON %I FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()',
      'audit_events_' || suffix || '_not_truncated', 'audit_events_' || suffix);
    EXECUTE format('CREATE TABLE %I PARTITION OF audit_origins FOR VALUES FROM (%L) TO (%L)',
      'audit_origins_' || suffix, lower_id, upper_id);
  END $$;

  CREATE FUNCTION audit_drop_partitions(bound uuid) RETURNS integer LANGUAGE plpgsql AS $$
  DECLARE
    suffix text;
    dropped integer := 0;
  BEGIN
    FOR suffix IN SELECT substr(relname, 14) FROM pg_class
      WHERE oid IN (SELECT inhrelid FROM pg_inherits WHERE inhparent = 'audit_events'::regclass)
        AND CASE WHEN relname ~ '^audit_events_\\d{4}_\\d{2}$' THEN
          audit_bound((to_date(substr(relname, 14), 'YYYY_MM') + interval '1 month') AT TIME ZONE 'UTC') <= bound END
    LOOP
      EXECUTE format('DROP TABLE %I, %I', 'audit_events_' || suffix, 'audit_origins_' || suffix);
      dropped := dropped + 1;
    END LOOP;
    IF EXISTS (SELECT FROM audit_events_default)
      AND NOT EXISTS (SELECT FROM audit_events_default WHERE id >= bound) THEN
      DROP TABLE audit_events_default, audit_origins_default;
      PERFORM audit_add_default();
      dropped := dropped + 1;
    END IF;
    RETURN dropped;
  END $$;`;
