import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { HousekeepingService } from '../../../src/platform/housekeeping/housekeeping.service.js';
import { RevocationFeed } from '../../../src/platform/revocations/revocation-feed.js';
import { CHANNEL, MERGED_ABOVE } from '../../../src/platform/revocations/revocations.service.js';
import { type Answer, Client } from '../../support/client.js';
import { createDatabase, type TestDatabase } from '../../support/databases.js';
import { basic, postForm } from '../../support/form.js';
import { InProcessServer } from '../../support/in-process.js';
import { apiKeyOf, type KeyClient } from '../../support/modes/api-key.js';
import { jwtOf, type TokenClient } from '../../support/modes/jwt.js';
import { exchange, type MachineClient } from '../../support/modes/machine.js';
import { type SessionClient, sessionOf } from '../../support/modes/session.js';
import type { Person } from '../../support/person.js';
import { until } from '../../support/until.js';

const PATH = '/v1/probes/principal';
const EXCHANGES_A_MINUTE = 120;
const RENAMES_A_MINUTE = 60;
const HOUR_MS = 3_600_000;

describe('a great many revocations', () => {
  let database: TestDatabase;
  let server: InProcessServer;
  let mallory: Person;
  let session: SessionClient;
  let bystander: TokenClient;

  beforeAll(async () => {
    database = await createDatabase();
    server = await InProcessServer.start({ database });
    mallory = await server.person();
    session = await sessionOf(mallory);
    bystander = await jwtOf(await server.person());
  });
  afterAll(async () => {
    await server.stop();
    await database.drop();
  });

  const statusAt = async (node: InProcessServer, { headers }: Client) =>
    (await new Client(node.url, node.secrets, headers).get(PATH)).status;

  const revoke = (token: MachineClient): Promise<Answer> =>
    postForm(
      server.anonymous,
      '/oauth/revoke',
      { token: token.accessToken },
      basic(token.key.id, token.key.key),
    );

  const ask = ({ id, key }: KeyClient) =>
    postForm(server.anonymous, '/oauth/token', { grant_type: 'client_credentials' }, basic(id, key));

  /** How many notifications `action` sends to the nodes. */
  async function announcementsOf(action: () => Promise<unknown>): Promise<number> {
    const listener = new pg.Client({ connectionString: database.url });
    await listener.connect();
    const heard: unknown[] = [];
    listener.on('notification', (message) => heard.push(message));
    await listener.query(`LISTEN ${CHANNEL}`);
    await action();
    await listener.query('SELECT 1');
    await listener.end();
    return heard.length;
  }

  describe.each(['api-key', 'token'])('of one subject, of the kind %s', (kind) => {
    it('do not push an older sign-out out of what a node loads when it starts', async () => {
      const token = await jwtOf(await server.person());
      expect((await token.delete('/v1/sessions/current')).status).toBe(204);
      await server.dataSource.query(
        `INSERT INTO revocations (kind, subject, expires_at)
         SELECT $1, 'one and the same', now() + interval '16 minutes 1 second' FROM generate_series(1, 100100)`,
        [kind],
      );
      const second = await InProcessServer.start({ database });
      expect(await statusAt(second, token)).toBe(401);
      expect(await statusAt(second, bystander)).toBe(200);
      expect(second.app.get(RevocationFeed).isComplete).toBe(true);
      await second.stop();
      await server.dataSource.query(`DELETE FROM revocations WHERE subject = 'one and the same'`);
    });
  });

  it('are not announced for a rename, and are for a narrowing', async () => {
    const key = await apiKeyOf(mallory, ['probes:read', 'probes:write']);
    const patch = (body: object) => () => session.patch(`/v1/api-keys/${key.id}`, body);
    expect(await announcementsOf(patch({ name: 'Another' }))).toBe(0);
    expect(await announcementsOf(patch({ name: 'A third', scopes: ['probes:read'] }))).toBe(1);
  });

  describe('of one account', () => {
    const revoked: MachineClient[] = [];
    let alive: MachineClient;

    it('take one entry in memory above a number of them', async () => {
      const before = server.app.get(RevocationFeed).size;
      const keys = [await apiKeyOf(mallory, ['probes:read']), await apiKeyOf(mallory, ['probes:read'])];
      alive = await exchange(keys[0]!);
      for (let i = 0; i < MERGED_ABOVE + 20; i += 1) revoked.push(await exchange(keys[i % 2]!));
      for (const token of revoked) expect((await revoke(token)).status).toBe(200);
      expect(server.app.get(RevocationFeed).size).toBe(before + MERGED_ABOVE + 1);
    });

    it('are all refused, and only they, on a node that heard of them and on one that starts later', async () => {
      const second = await InProcessServer.start({ database });
      for (const node of [server, second]) {
        for (const token of revoked) expect(await statusAt(node, token)).toBe(401);
        for (const token of [alive, session, bystander]) expect(await statusAt(node, token)).toBe(200);
      }
      await second.stop();
    });

    it('make nodes ask the database about this account, and about no other', async () => {
      const feed = server.app.get(RevocationFeed);
      await until(() => feed.isCurrent);
      expect(feed.isCurrentFor(mallory.id)).toBe(false);
      expect(feed.isCurrentFor(bystander.claims['sub'])).toBe(true);
    });

    it('end sign-ins of it at once all the same', async () => {
      const token = await jwtOf(mallory);
      const second = await InProcessServer.start({ database });
      for (const node of [server, second]) expect(await statusAt(node, token)).toBe(200);
      expect((await token.delete('/v1/sessions/current')).status).toBe(204);
      await until(async () => (await statusAt(second, token)) === 401);
      expect(await statusAt(server, token)).toBe(401);
      await second.stop();
    });
  });

  it('are possible with a key whose rate limit is used up', async () => {
    const rateLimit = { requests: 1, windowSeconds: 600 };
    const key = await apiKeyOf(mallory, ['probes:read'], { rateLimit });
    const token = await exchange(key);
    expect((await key.get(PATH)).status).toBe(429);
    expect((await revoke(token)).status).toBe(200);
    expect((await ask(key)).status).toBe(429);
  });

  describe('cannot be prepared without a limit', () => {
    it('by exchanges: past the limit of the key 429, and revoking is never limited', async () => {
      const key = await apiKeyOf(mallory, ['probes:read']);
      const token = await exchange(key);
      let answer = await ask(key);
      for (let i = 2; i < EXCHANGES_A_MINUTE; i += 1) answer = await ask(key);
      expect(answer.status).toBe(200);
      expect(answer.headers.get('ratelimit')).toMatch(/^"key";r=\d+;t=\d+, "token-exchange";r=0;t=\d+$/);
      const refused = await ask(key);
      expect([refused.status, refused.body.error]).toEqual([429, 'temporarily_unavailable']);
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
      expect((await revoke(token)).status).toBe(200);
      expect((await session.delete(`/v1/api-keys/${key.id}`)).status).toBe(204);
    });

    it('by renames: past the limit 429, and narrowing is never limited', async () => {
      const eve = await server.person();
      const key = await apiKeyOf(eve, ['probes:read', 'probes:write']);
      const owner = await sessionOf(eve);
      const patch = (body: object) => owner.patch(`/v1/api-keys/${key.id}`, body);
      for (let i = 0; i < RENAMES_A_MINUTE; i += 1) expect((await patch({ name: 'x' })).status).toBe(200);
      const refused = await patch({ name: 'y' });
      expect([refused.status, refused.problem]).toEqual([429, 'rate-limited']);
      expect((await patch({ name: 'y', scopes: ['probes:read'] })).status).toBe(200);
      expect((await owner.delete(`/v1/api-keys/${key.id}`)).status).toBe(204);
    });

    it('by new keys, created or rotated: past the limit 429, and revoking is never limited', async () => {
      const eve = await server.person();
      const owner = await sessionOf(eve);
      const create = () => owner.post('/v1/api-keys', { name: 'x', scopes: ['probes:read'] });
      const { id } = (await create()).body;
      // What nobody can rotate counts too: 299 more requests.
      for (let i = 1; i < 300; i += 1) await owner.post(`/v1/api-keys/${crypto.randomUUID()}/rotation`, {});
      expect((await create()).status).toBe(429);
      expect((await owner.post(`/v1/api-keys/${id}/rotation`, {})).problem).toBe('rate-limited');
      expect((await owner.delete(`/v1/api-keys/${id}`)).status).toBe(204);
    });
  });

  describe('and a time of day that is wrong on one node', () => {
    afterEach(() => server.clock.reset());

    it('keep what that node revokes while its clock is behind', async () => {
      const ada = await server.person();
      const token = await jwtOf(ada);
      const other = await sessionOf(ada);
      server.clock.set(-HOUR_MS);
      expect((await other.delete(`/v1/sessions/${token.claims['sid']}`)).status).toBe(204);
      server.clock.reset();
      await server.app.get(HousekeepingService).run();
      const second = await InProcessServer.start({ database });
      expect(await statusAt(second, token)).toBe(401);
      await second.stop();
    });

    it('keep what that node would delete while its clock is ahead', async () => {
      const token = await jwtOf(await server.person());
      expect((await token.delete('/v1/sessions/current')).status).toBe(204);
      server.clock.set(HOUR_MS);
      await server.app.get(HousekeepingService).run();
      const second = await InProcessServer.start({ database });
      expect(await statusAt(second, token)).toBe(401);
      await second.stop();
    });
  });
});
