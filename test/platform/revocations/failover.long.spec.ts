import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { RevocationFeed } from '../../../src/platform/revocations/revocation-feed.js';
import { Client } from '../../support/client.js';
import { createDatabase, type TestDatabase } from '../../support/databases.js';
import { InProcessServer } from '../../support/in-process.js';
import { jwtOf, type TokenClient } from '../../support/modes/jwt.js';
import { until } from '../../support/until.js';
import { Wire } from '../../support/wire.js';

const PATH = '/v1/probes/principal';
const LOST = 'lost the revocation feed; requests query the database';

/** One database stands for the old primary, and a copy of it for the one that took over. */
describe('a node whose pool has moved to another server while its listening connection stayed', () => {
  let [before, after]: TestDatabase[] = [];
  let wires: { pool: Wire; feed: Wire };
  let node: InProcessServer;
  let other: InProcessServer;
  let feed: RevocationFeed;
  const tokens: TokenClient[] = [];

  const at = (server: InProcessServer, { headers }: Client) =>
    new Client(server.url, server.secrets, headers);
  const signOut = (token: TokenClient) => at(other, token).delete('/v1/sessions/current');
  const statusOf = async (token: TokenClient) => (await at(node, token).get(PATH)).status;

  beforeAll(async () => {
    before = await createDatabase();
    const first = await InProcessServer.start({ database: before });
    for (let i = 0; i < 3; i += 1) tokens.push(await jwtOf(await first.person()));
    await first.stop();
    after = await createDatabase({ copyOf: before });
    wires = { pool: await Wire.before(before.url), feed: await Wire.before(before.url) };
    node = await InProcessServer.start({
      database: { ...before, url: wires.pool.url.href },
      env: { DATABASE_LISTEN_URL: wires.feed.url.href },
    });
    other = await InProcessServer.start({ database: after });
    feed = node.app.get(RevocationFeed);
  });
  afterAll(async () => {
    await Promise.all([node.stop(), other.stop()]);
    wires.pool.close();
    wires.feed.close();
    await Promise.all([before!.drop(), after!.drop()]);
  });

  it('refuses a JWT that was signed out on the new server, and asks the database from then on', async () => {
    await until(() => feed.isCurrent);
    expect(await statusOf(tokens[0]!)).toBe(200);
    wires.pool.failOver(after!.url);
    expect((await signOut(tokens[0]!)).status).toBe(204);
    await until(async () => (await statusOf(tokens[0]!)) === 401);
    await until(() => node.entries().some(({ msg }) => msg === LOST));
    expect((await signOut(tokens[1]!)).status).toBe(204);
    expect(await statusOf(tokens[1]!)).toBe(401);
    expect(await statusOf(tokens[2]!)).toBe(200);
    expect(feed.isCurrent).toBe(false);
  });

  it('trusts its memory again when it listens to the new server', async () => {
    wires.feed.failOver(after!.url);
    await until(() => feed.isCurrent);
    expect(await statusOf(tokens[2]!)).toBe(200);
    expect((await signOut(tokens[2]!)).status).toBe(204);
    await until(async () => (await statusOf(tokens[2]!)) === 401);
  });

  it('trusts its memory no longer while the pool sends nothing, and does not begin anew for that', async () => {
    const losses = () => node.entries().filter(({ msg }) => msg === LOST).length;
    await until(() => feed.isCurrent);
    const count = losses();
    wires.pool.cut('closed');
    await until(() => !feed.isCurrent);
    wires.pool.mend();
    await until(() => feed.isCurrent);
    expect(losses()).toBe(count);
  });
});
