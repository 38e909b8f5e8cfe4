import { describe, expect, it } from '@jest/globals';
import type { Client } from '../../support/client.js';
import { apiKeyOf, KeyClient } from '../../support/modes/api-key.js';
import { jwtOf } from '../../support/modes/jwt.js';
import { exchange } from '../../support/modes/machine.js';
import { opaqueOf } from '../../support/modes/opaque.js';
import { SessionClient, sessionOf } from '../../support/modes/session.js';
import { PASSWORD, useServer } from '../../support/server.js';

const NEW_PASSWORD = 'a new password of the owner';

describe('a reset of the password', () => {
  const context = useServer();

  const reset = async ({ email }: { email: string }, fields: object = {}) => {
    const { anonymous } = context.server;
    await anonymous.post('/v1/password-resets', { email });
    const token = await context.server.mailedToken(email);
    const answer = await anonymous.put('/v1/password-resets', {
      token,
      newPassword: NEW_PASSWORD,
      ...fields,
    });
    expect(answer.status).toBe(204);
  };
  const statusOf = async (client: Client) => (await client.get('/v1/probes/principal')).status;
  const lastMailTo = async ({ email }: { email: string }) =>
    (await context.server.mails()).findLast((mail) => mail.includes(`To: ${email}`))!;

  it('ends every token', async () => {
    const ada = await context.server.person();
    const token = await jwtOf(ada);
    const tokens = [token, await opaqueOf(ada)];
    await reset(ada);
    for (const client of tokens) expect(await statusOf(client)).toBe(401);
    const refresh = { refreshToken: token.refreshToken };
    expect((await context.server.anonymous.post('/v1/tokens/refresh', refresh)).status).toBe(401);
  });

  it('keeps the keys that work, and lists them in a mail', async () => {
    const ada = await context.server.person();
    const kept = await apiKeyOf(ada, ['probes:read'], { name: 'The backup' });
    const gone = await apiKeyOf(ada, ['probes:read']);
    await (await sessionOf(ada)).delete(`/v1/api-keys/${gone.id}`);
    await reset(ada);
    const mail = await lastMailTo(ada);
    expect(mail).toContain('These API keys still work');
    expect(mail).toContain(`${kept.key.slice(-4)} "The backup"`);
    expect(mail).not.toContain(gone.key.slice(-4));
    expect(await statusOf(kept)).toBe(200);
  });

  it('revokes the keys and their tokens if the person asks for it', async () => {
    const ada = await context.server.person();
    const key = await apiKeyOf(ada, ['probes:read']);
    const machine = await exchange(key);
    await reset(ada, { revokeApiKeys: true });
    expect([await statusOf(key), await statusOf(machine)]).toEqual([401, 401]);
    expect(await lastMailTo(ada)).not.toContain('still work');
  });

  it('revokes the keys of an account whose address was never confirmed', async () => {
    const { server } = context;
    const email = 'squatted@example.com';
    await server.anonymous.post('/v1/users', { email, password: PASSWORD });
    const signedIn = await server.anonymous.post('/v1/sessions', { email, password: PASSWORD });
    const session = SessionClient.from(server.url, server.secrets, signedIn);
    const made = await session.post('/v1/api-keys', { name: 'A test', scopes: ['probes:read'] });
    const key = KeyClient.from(server.url, server.secrets, made);
    expect(await statusOf(key)).toBe(200);
    await reset({ email });
    expect(await statusOf(key)).toBe(401);
  });
});
