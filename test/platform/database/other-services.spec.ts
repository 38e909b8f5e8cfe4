import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createDatabase, type TestDatabase } from '../../support/databases.js';
import { TestServer, useServer } from '../../support/server.js';

describe('a service that a handler calls and that cannot be reached', () => {
  const context = useServer({ fixture: 'test/platform/database/other-services.fixture.ts#weather' });

  it.each(['refused', 'unknown', 'database'])('is not taken for the database: %s', async (name) => {
    const { status, problem } = await context.server.anonymous.get(`/v1/weather/${name}`);
    expect([status, problem]).toEqual([500, 'internal-error']);
  });
});

describe('a DATABASE_URL that names the directory of a socket and no host', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createDatabase();
  });
  afterAll(() => database.drop());

  it('names the database', async () => {
    const url = new URL(database.url);
    if (!url.searchParams.has('host')) return;
    const { username, password, pathname, search } = url;
    const server = await TestServer.start({
      database: { ...database, url: `postgresql://${username}:${password}@${pathname}${search}` },
    });
    expect((await server.anonymous.get('/health/ready')).status).toBe(200);
    await server.stop();
  });
});
