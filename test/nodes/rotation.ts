import { performance } from 'node:perf_hooks';
import { setTimeout } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { apiKeyOf } from '../support/modes/api-key.js';
import { jwtOf } from '../support/modes/jwt.js';
import { bearer, kidOf, PATH, three } from './three-nodes.js';

const NODES = [0, 1, 2];
/** One request to each node every 15 ms: 200 a second, for some 2 seconds. */
const TICKS = 150;
const TICK_MS = 15;
const ROTATION_AT = 50;
const RENEWAL_MS = 75;

/** What is seen while the keys rotate: every answer, and every token that is made and used. */
class Traffic {
  readonly statuses = new Map<number, number>();
  readonly tokens: string[] = [];
  #over = false;

  /** Uses old and new tokens in turn. `at` happens in the middle, and nothing waits for it. */
  async run(at: number, happening: () => Promise<unknown>): Promise<void> {
    const started = performance.now();
    const pending: Promise<unknown>[] = [];
    try {
      for (let tick = 0; tick < TICKS; tick += 1) {
        if (tick === at) pending.push(happening());
        for (const node of NODES) pending.push(this.#use(node, tick * NODES.length + node));
        await setTimeout(started + (tick + 1) * TICK_MS - performance.now());
      }
      await Promise.all(pending);
    } finally {
      this.#over = true;
    }
  }

  /** Renews a sign-in and a machine's token on one node, over and over; answers with the last refresh token. */
  async renew(node: number): Promise<string> {
    const ada = await three.server.person();
    const key = await apiKeyOf(ada, ['orders:read']);
    let { accessToken, refreshToken } = await jwtOf(ada);
    for (let last = false; !last;) {
      this.tokens.push(accessToken, await three.exchange(key, node));
      // Once more after the end, so that the rotation was answered before the last renewal begins.
      last = this.#over;
      await setTimeout(RENEWAL_MS);
      const { status, body } = await three.at(node).post('/v1/tokens/refresh', { refreshToken });
      this.#count(status);
      ({ access_token: accessToken, refresh_token: refreshToken } = body);
    }
    this.tokens.push(accessToken);
    return refreshToken;
  }

  async #use(node: number, turn: number): Promise<void> {
    const token = this.tokens[turn % this.tokens.length]!;
    this.#count((await three.at(node, bearer(token)).get(PATH)).status);
  }

  #count(status: number): void {
    this.statuses.set(status, (this.statuses.get(status) ?? 0) + 1);
  }
}

const statusOfKeys = async (): Promise<Record<string, string>> => {
  const { body } = await three.admin.get('/v1/admin/signing-keys');
  return Object.fromEntries(body.items.map((key: { status: string; kid: string }) => [key.status, key.kid]));
};

const rotate = async () => expect((await three.admin.post('/v1/admin/signing-keys')).status).toBe(201);

describe('a rotation of the signing keys', () => {
  it('costs nobody a refused request on three nodes under load, and all sign with the new key after it', async () => {
    // As if it had been published for long enough.
    await three.server.query(`UPDATE signing_keys SET created_at = created_at - interval '10 minutes'`);
    const before = await statusOfKeys();
    const traffic = new Traffic();
    const key = await apiKeyOf(await three.server.person(), ['orders:read']);
    traffic.tokens.push(await three.exchange(key));

    const started = performance.now();
    const [, ...refreshTokens] = await Promise.all([
      traffic.run(ROTATION_AT, rotate),
      ...NODES.map((node) => traffic.renew(node)),
    ]);
    const seconds = (performance.now() - started) / 1000;

    const after = await statusOfKeys();
    expect(after).toMatchObject({ retired: before['active'], active: before['next'] });
    expect([...traffic.statuses.keys()]).toEqual([200]);
    expect(new Set(traffic.tokens.map(kidOf))).toEqual(new Set([before['active'], before['next']]));
    for (const node of NODES) {
      const refreshToken = refreshTokens[node];
      const { body } = await three.at(node).post('/v1/tokens/refresh', { refreshToken });
      expect(kidOf(body.access_token)).toBe(after['active']);
      for (const other of NODES)
        for (const token of [body.access_token, traffic.tokens[0]!])
          expect((await three.at(other, bearer(token)).get(PATH)).status).toBe(200);
      const jwks = (await three.at(node).get('/.well-known/jwks.json')).body.keys;
      expect(jwks.map(({ kid }: { kid: string }) => kid).toSorted()).toEqual(Object.values(after).toSorted());
    }
    const requests = traffic.statuses.get(200)!;
    console.info(
      `${requests} requests with ${traffic.tokens.length} tokens through a rotation, ${Math.round(requests / seconds)} a second: all 200`,
    );
  });
});
