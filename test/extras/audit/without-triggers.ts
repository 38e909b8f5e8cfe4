/** What the owner of the tables, or a superuser, can do before an attack. In SQL, inside a transaction. */
export const DISABLE_TRIGGERS = `
  DO $$ DECLARE t regclass; BEGIN
    FOR t IN SELECT oid FROM pg_class WHERE relname LIKE 'audit\\_%' AND relkind IN ('r', 'p') LOOP
      EXECUTE format('ALTER TABLE %s DISABLE TRIGGER USER', t);
    END LOOP;
  END $$`;
