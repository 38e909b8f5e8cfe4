import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { RevocationFeed } from '../../../src/platform/revocations/revocation-feed.js';
import { RevokedMemory } from '../../../src/platform/revocations/revoked-memory.js';
import { Client } from '../../support/client.js';
import { createDatabase, type TestDatabase } from '../../support/databases.js';
import { InProcessServer } from '../../support/in-process.js';
import { jwtOf, type TokenClient } from '../../support/modes/jwt.js';
import { until } from '../../support/until.js';

const LIMIT = 3;
const MINUTE_MS = 60_000;

describe('a node on which more is revoked than memory may hold', () => {
  let database: TestDatabase;
  let server: InProcessServer;
  let bystander: TokenClient;
  const revoked: TokenClient[] = [];

  beforeAll(async () => {
    // What happens each minute happens when the test says so.
    jest.useFakeTimers({
      doNotFake: [
        'Date',
        'hrtime',
        'nextTick',
        'performance',
        'queueMicrotask',
        'setImmediate',
        'setTimeout',
      ],
    });
    database = await createDatabase();
    server = await start();
    bystander = await jwtOf(await server.person());
  });
  afterAll(async () => {
    await server.stop();
    await database.drop();
    jest.useRealTimers();
  });

  const start = () => InProcessServer.start({ database, overrides: [new RevokedMemory(LIMIT)] });

  async function revoke(count: number): Promise<void> {
    for (let i = 0; i < count; i += 1) {
      const token = await jwtOf(await server.person());
      expect((await token.delete('/v1/sessions/current')).status).toBe(204);
      revoked.push(token);
    }
  }

  /** Whether a JWT is answered from memory alone: while nobody finds the table of sign-ins. */
  async function isServedFromMemory(client: Client): Promise<boolean> {
    await server.dataSource.query('ALTER TABLE sign_ins RENAME TO hidden');
    const { status } = await client.get('/v1/probes/principal');
    await server.dataSource.query('ALTER TABLE hidden RENAME TO sign_ins');
    expect([200, 500]).toContain(status);
    return status === 200;
  }

  const sizes = () => server.entries().filter(({ msg }) => msg === 'revocations in memory');
  const logged = (message: string) =>
    server.entries().filter(({ msg, level }) => level === 'warn' && String(msg).startsWith(message));

  it('answers from memory as long as all fit in', async () => {
    await revoke(LIMIT);
    expect(server.app.get(RevocationFeed).size).toBe(LIMIT);
    await until(() => isServedFromMemory(bystander));
  });

  it('forgets nothing when the time of day is set forward and back', async () => {
    server.clock.set(60 * MINUTE_MS);
    jest.advanceTimersByTime(MINUTE_MS);
    server.clock.reset();
    for (const token of revoked) expect((await token.get('/v1/probes/principal')).status).toBe(401);
    expect(server.app.get(RevocationFeed).size).toBe(LIMIT);
    await until(() => isServedFromMemory(bystander));
  });

  it('asks the database as soon as one does not: right answers, only slower', async () => {
    await revoke(2);
    for (const token of revoked) expect((await token.get('/v1/probes/principal')).status).toBe(401);
    expect(await isServedFromMemory(bystander)).toBe(false);
    expect((await bystander.get('/v1/probes/principal')).status).toBe(200);
  });

  it('says so once', async () => {
    await until(() => logged('too many revocations for memory; requests query the database').length > 0);
    expect(logged('too many revocations for memory; requests query the database')).toMatchObject([
      { limit: LIMIT },
    ]);
  });

  it('says each minute how many are in memory', () => {
    const before = sizes().length;
    jest.advanceTimersByTime(MINUTE_MS);
    expect(sizes().slice(before)).toMatchObject([{ level: 'info', revocations: LIMIT, limit: LIMIT }]);
  });

  it('does not trust what it loads at a start either', async () => {
    const second = await start();
    const at = ({ headers }: Client) => new Client(second.url, second.secrets, headers);
    for (const token of revoked) expect((await at(token).get('/v1/probes/principal')).status).toBe(401);
    expect(await isServedFromMemory(at(bystander))).toBe(false);
    await second.stop();
  });

  it('trusts its memory again when those that did not fit in have expired, and says so once', async () => {
    server.clock.advance('17m');
    const token = await jwtOf(await server.person());
    await until(() => isServedFromMemory(token));
    await until(() => logged('all revocations fit in memory again').length > 0);
    expect(logged('all revocations fit in memory again')).toHaveLength(1);
    expect(logged('too many revocations for memory; requests query the database')).toHaveLength(1);
    // Nothing is left, and nothing is said of it.
    const before = sizes().length;
    jest.advanceTimersByTime(2 * MINUTE_MS);
    expect(sizes()).toHaveLength(before);
  });
});
