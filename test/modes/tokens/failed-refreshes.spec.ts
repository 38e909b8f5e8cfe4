import { describe, expect, it } from '@jest/globals';
import { randomSecret } from '../../../src/platform/crypto/secret.js';
import { from, many, newAddress } from '../../support/guesses.js';
import { tokens } from '../../support/modes/any.js';
import { useServer } from '../../support/server.js';

const LIMIT = 100;

describe('refused refresh tokens', () => {
  const context = useServer({ env: { TRUSTED_PROXIES: 'loopback' } });
  const refresh = (refreshToken: string, address: string) =>
    from(context.server.anonymous, address).post('/v1/tokens/refresh', { refreshToken });
  const unknown = () => `rt_${randomSecret()}`;

  it('are limited by address, and never limit a token that works', async () => {
    const { refreshToken } = await tokens[0]!.of(await context.server.person());
    const address = newAddress();
    const answers = await many(LIMIT + 10, () => refresh(unknown(), address));
    expect(answers.filter(({ status }) => status === 401)).toHaveLength(LIMIT);
    expect(await refresh(unknown(), address)).toMatchObject({ status: 429, problem: 'rate-limited' });
    expect((await refresh(refreshToken, address)).status).toBe(200);
    expect((await refresh(unknown(), newAddress())).status).toBe(401);
  });

  it('do not count if they are malformed', async () => {
    const address = newAddress();
    for (let i = 0; i < LIMIT + 5; i += 1) expect((await refresh('rt_x', address)).status).toBe(401);
  });
});
