import { describe, expect, it } from '@jest/globals';
import { AccountTakeover } from '../../../src/accounts/users/account-takeover.js';
import { InProcessServer } from '../../support/in-process.js';
import { PASSWORD, useStarted } from '../../support/server.js';

const NEW_PASSWORD = 'a new password of the owner';

describe('a second factor of a person whose password is reset', () => {
  const context = useStarted(() => InProcessServer.start());

  it('[V6.4.3] stays, unless nobody had confirmed the address', async () => {
    const { server } = context;
    const ended: string[] = [];
    server.app.get(AccountTakeover, { strict: false }).register(async (_manager, userId) => {
      ended.push(userId);
    });
    const reset = async (email: string) => {
      await server.anonymous.post('/v1/password-resets', { email });
      const token = await server.mailedToken(email);
      const body = { token, newPassword: NEW_PASSWORD, revokeApiKeys: true };
      expect((await server.anonymous.put('/v1/password-resets', body)).status).toBe(204);
    };
    await reset((await server.person()).email);
    expect(ended).toEqual([]);

    const email = 'unconfirmed@example.com';
    await server.anonymous.post('/v1/users', { email, password: PASSWORD });
    const [{ id }] = await server.query('SELECT id FROM users WHERE email = $1', [email]);
    await reset(email);
    expect(ended).toEqual([id]);
  });
});
