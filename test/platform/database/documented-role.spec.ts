import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createDatabase, type TestDatabase } from '../../support/databases.js';
import { anyone, signIn } from '../../support/modes/any.js';
import { PROBES } from '../../support/probe/probe.entity.js';
import { TestServer } from '../../support/server.js';

const page = await readFile('docs/production.md', 'utf8');

/** The statements of the page for a role and a database of other names, without those that psql or the test does itself. */
function statementsFor(role: string, database: string): string[] {
  return /```sql\n([\s\S]*?)```/
    .exec(page)![1]!
    .replace('SCHEMA app', `SCHEMA ${role}`)
    .replaceAll('DATABASE app', `DATABASE ${database}`)
    .replaceAll(/(ROLE|TO|AUTHORIZATION) app\b/g, `$1 ${role}`)
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('\\') && !line.startsWith('CREATE DATABASE'));
}

/** As the administrator of the server, who made the database. */
async function administer<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** The embedded server lets nobody create roles; an ordinary one, as in CI, does. */
const mayCreateRoles = await administer(process.env['TEST_SERVER_URL']!, async (client) => {
  const { rows } = await client.query('SELECT rolsuper FROM pg_roles WHERE rolname = current_user');
  return rows[0].rolsuper as boolean;
});

(mayCreateRoles ? describe : describe.skip)('the database role of docs/production.md', () => {
  const role = `role_${randomBytes(6).toString('hex')}`;
  let database: TestDatabase;
  let server: TestServer;

  beforeAll(async () => {
    database = await createDatabase({ empty: true });
    const url = new URL(database.url);
    await administer(database.url, async (client) => {
      for (const statement of statementsFor(role, url.pathname.slice(1))) await client.query(statement);
    });
    url.username = role;
    url.password = 'PASSWORD';
    server = await TestServer.start({ database: { ...database, url: url.href } });
  });

  afterAll(async () => {
    await server?.stop();
    await administer(database.url, (client) => client.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`));
    await database.drop();
  });

  it('can create the schema, serve requests and hear of revocations', async () => {
    await server.query(PROBES);
    const client = await anyone(server);
    expect((await client.get('/v1/probes')).status).toBe(200);
    // room: sign-ins
    const person = await signIn(await server.person());
    expect((await person.get('/v1/probes')).status).toBe(200);
    expect((await person.delete('/v1/sessions/current')).status).toBe(204);
    expect((await person.get('/v1/probes')).status).toBe(401);
    // /room
  });

  it('[V13.2.2] owns the tables, and creates nothing outside its own schema', async () => {
    const owners = await server.query(
      `SELECT DISTINCT schemaname, tableowner FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')`,
    );
    expect(owners).toEqual([{ schemaname: role, tableowner: role }]);
    const forbidden = server.query('CREATE TABLE public.anything (id integer)');
    await expect(forbidden).rejects.toMatchObject({ code: '42501' });
  });
});
