import { describe, expect, it } from '@jest/globals';
import { from, many, newAddress } from '../../support/guesses.js';
import { useServer } from '../../support/server.js';

describe('requests that send mail or set passwords', () => {
  const context = useServer({ env: { TRUSTED_PROXIES: 'loopback' } });

  it.each([
    ['POST', '/v1/users', 100],
    ['POST', '/v1/email-verifications', 300],
    ['PUT', '/v1/email-verifications', 300],
    // room: recovery
    ['POST', '/v1/password-resets', 300],
    ['PUT', '/v1/password-resets', 300],
    ['POST', '/v1/email-changes/undo', 300],
    // /room
  ])('[V2.4.1] are limited by address: %s %s', async (method, path, limit) => {
    const address = newAddress();
    // Malformed requests count too, and cost no mail.
    const send = (address: string) =>
      from(context.server.anonymous, address).call(method, path, { body: {} });
    const answers = await many(limit + 5, () => send(address));
    expect(answers.filter(({ status }) => status === 400)).toHaveLength(limit);
    expect(await send(address)).toMatchObject({ status: 429, problem: 'rate-limited' });
    expect((await send(newAddress())).status).toBe(400);
  });
});
