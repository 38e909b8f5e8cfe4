import { describe, expect, it } from '@jest/globals';
import { generateKey } from '../../../src/modes/api-keys/api-key.format.js';
import { from, many, newAddress, times } from '../../support/guesses.js';
import { credentials } from '../../support/modes/any.js';
import { apiKeyOf } from '../../support/modes/api-key.js';
import { useServer } from '../../support/server.js';

const PATH = '/v1/probes';

describe('refused API keys with a right checksum', () => {
  const context = useServer({ env: { TRUSTED_PROXIES: 'loopback' } });
  const use = async (key: string, address: string) =>
    from(context.server.anonymous, address).get(PATH, { headers: { 'X-API-Key': key } });
  const scan = (count: number, address: string) =>
    Promise.all(Array.from({ length: count }, () => use(generateKey('test').key.reveal(), address)));

  it('are limited by address, and never limit a key that works', async () => {
    const kind = credentials.find(({ mode }) => mode === 'api-key')!;
    const key = (await kind.of(context.server)).headers['X-API-Key']!;
    const address = newAddress();
    const statuses = (await scan(110, address)).map(({ status }) => status);
    expect(statuses.filter((status) => status === 401)).toHaveLength(100);
    const refused = await use(generateKey('test').key.reveal(), address);
    expect(refused).toMatchObject({ status: 429, problem: 'rate-limited' });
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await use(key, address)).status).toBe(200);
    expect((await scan(1, newAddress()))[0]!.status).toBe(401);
  });

  it.each<[string, Record<string, unknown>, string]>([
    ['revoked', {}, 'revoked_at = now()'],
    ['expired', {}, `created_at = now() - interval '2 days', expires_at = now() - interval '1 day'`],
    ['of another network', { allowedCidrs: ['192.0.2.0/24'] }, 'id = id'],
  ])('get the same answers and limit as an unknown one: %s', async (_why, options, change) => {
    const { id, key } = await apiKeyOf(await context.server.serviceAccount(), ['probes:read'], options);
    await context.server.query(`UPDATE api_keys SET ${change} WHERE id = $1`, [id]);
    const told = async (key: string) => {
      const address = newAddress();
      const answers = await many(110, () => use(key, address));
      return answers
        .map(({ status, problem, headers }) => `${status} ${problem} ${[...headers.keys()].join()}`)
        .toSorted();
    };
    const answers = await told(key);
    expect(answers).toEqual(await told(generateKey('test').key.reveal()));
    expect(answers.filter((answer) => answer.startsWith('429'))).toHaveLength(10);
    expect(answers.join()).not.toContain('ratelimit');
  });

  it('do not count if the checksum is wrong', async () => {
    const address = newAddress();
    const malformed = `nk_test_${'A'.repeat(49)}`;
    const answers = await Promise.all(Array.from({ length: 105 }, () => use(malformed, address)));
    expect(answers.map(({ status }) => status)).toEqual(times(105, 401));
  });
});
