import { describe, expect, it } from '@jest/globals';
import { randomSecret } from '../../../src/platform/crypto/secret.js';
import { basic, postForm } from '../../support/form.js';
import { from, many, newAddress } from '../../support/guesses.js';
import { apiKeyOf } from '../../support/modes/api-key.js';
import { useServer } from '../../support/server.js';

const LIMIT = 100;
const LIMITED = { status: 429, body: { error: 'temporarily_unavailable' } };

describe('failures at OAuth endpoints', () => {
  const context = useServer({ env: { TRUSTED_PROXIES: 'loopback' } });
  const call = (path: string, fields: Record<string, string>, id: string, secret: string, address: string) =>
    postForm(from(context.server.anonymous, address), path, fields, basic(id, secret));
  const repeat = async (work: () => Promise<{ status: number }>, refused: number) => {
    const answers = await many(LIMIT + 10, work);
    expect(answers.filter(({ status }) => status === refused)).toHaveLength(LIMIT);
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(10);
  };

  it.each([
    ['/oauth/token', { grant_type: 'client_credentials' }],
    ['/oauth/introspect', { token: 'x' }],
  ])('are limited by address for a wrong client secret: %s', async (path, fields) => {
    const { id, key } = await apiKeyOf(await context.server.person(), ['probes:read', 'tokens:introspect']);
    const address = newAddress();
    await repeat(() => call(path, fields, id, 'wrong', address), 401);
    const limited = await call(path, fields, id, 'wrong', address);
    expect(limited).toMatchObject(LIMITED);
    expect(limited.headers.get('ratelimit') ?? '').not.toContain('wrong-client-secrets');
    expect((await call(path, fields, id, key, address)).status).toBe(200);
    expect((await call(path, fields, id, 'wrong', newAddress())).status).toBe(401);
  });

  it('count once, also if the secret has the form of a key', async () => {
    const address = newAddress();
    const { id, key } = await apiKeyOf(await context.server.person(), ['probes:read']);
    await context.server.query('UPDATE api_keys SET revoked_at = now() WHERE id = $1', [id]);
    const fields = { grant_type: 'client_credentials' };
    await repeat(() => call('/oauth/token', fields, id, key, address), 401);
    // Not in the limit of the mode too.
    const client = from(context.server.anonymous, address).with({ 'X-API-Key': key });
    expect((await client.get('/v1/probes/principal')).status).toBe(401);
  });

  it('are limited by address for an unknown refresh token', async () => {
    const address = newAddress();
    const client = from(context.server.anonymous, address);
    const refresh = () =>
      postForm(client, '/oauth/token', {
        grant_type: 'refresh_token',
        client_id: 'first-party',
        refresh_token: `rt_${randomSecret()}`,
      });
    await repeat(refresh, 400);
    expect(await refresh()).toMatchObject(LIMITED);
  });
});
