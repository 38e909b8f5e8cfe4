import { describe, expect, it } from '@jest/globals';
import '../../../src/app.module.js';
import { restoredTables } from '../../../src/platform/restored/on-restored.js';
import { useServer } from '../../support/server.js';

const WITH_SECRETS = `
  SELECT DISTINCT table_name AS name FROM information_schema.columns JOIN information_schema.tables USING (table_name)
  WHERE tables.table_schema = 'public' AND table_type = 'BASE TABLE'
    AND (data_type = 'bytea' OR column_name ~ 'hash|secret|token|digest|sealed|code')`;

describe('the rooms', () => {
  const context = useServer();
  const declared = restoredTables();

  it('declare for every table with secrets what happens to it after a restore', async () => {
    const tables: { name: string }[] = await context.server.query(WITH_SECRETS);
    expect(tables.length).toBeGreaterThan(0);
    expect(tables.map(({ name }) => name).filter((name) => !declared.includes(name))).toEqual([]);
  });

  it('declare only tables that exist', async () => {
    const found = await context.server.query(
      'SELECT name FROM unnest($1::text[]) AS name WHERE to_regclass(name) IS NULL',
      [declared],
    );
    expect(found).toEqual([]);
  });
});
