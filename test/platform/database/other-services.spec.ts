import { once } from 'node:events';
import { get } from 'node:http';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Controller, Get } from '@nestjs/common';
import { Public } from '../../../src/auth/authenticated.decorator.js';
import { createDatabase, type TestDatabase } from '../../support/databases.js';
import { InProcessServer } from '../../support/in-process.js';

/** What a user adds: handlers that call services which are not there. */
@Controller('v1/weather')
class WeatherController {
  @Get('refused')
  @Public()
  async refused() {
    await once(get('http://127.0.0.1:1/'), 'response');
  }

  @Get('unknown')
  @Public()
  async unknown() {
    await once(get('http://no-such-host.invalid/'), 'response');
  }

  @Get('database')
  @Public()
  async database() {
    await new pg.Client('postgres://127.0.0.1:1/weather').connect();
  }
}

describe('a service that a handler calls and that cannot be reached', () => {
  let server: InProcessServer;
  beforeAll(async () => {
    server = await InProcessServer.start({
      modules: [{ module: class {}, controllers: [WeatherController] }],
    });
  });
  afterAll(() => server.stop());

  it.each(['refused', 'unknown', 'database'])('is not taken for the database: %s', async (name) => {
    const { status, problem } = await server.anonymous.get(`/v1/weather/${name}`);
    expect([status, problem]).toEqual([500, 'internal-error']);
  });
});

describe('a DATABASE_URL that names the directory of a socket and no host', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createDatabase();
  });
  afterAll(() => database.drop());

  it('leads to the database', async () => {
    const url = new URL(database.url);
    if (!url.searchParams.has('host')) return;
    const { username, password, pathname, search } = url;
    const server = await InProcessServer.start({
      database: { ...database, url: `postgresql://${username}:${password}@${pathname}${search}` },
    });
    expect((await server.anonymous.get('/health/ready')).status).toBe(200);
    await server.stop();
  });
});
