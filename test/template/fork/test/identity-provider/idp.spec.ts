import { afterAll, describe, expect, it } from '@jest/globals';
import { generateKeyPair } from 'jose';
import { idpOf, presenting, TestProvider } from '../support/modes/idp.js';
import { sessionOf } from '../support/modes/session.js';
import { useServer } from '../support/server.js';

const provider = await TestProvider.start();
afterAll(() => provider.stop());

describe('the mode idp', () => {
  const context = useServer({ env: { IDP_ISSUER: provider.issuer } });

  it('gives the rows of the user to a token of the provider', async () => {
    const person = await context.server.person();
    const client = await idpOf(context.server, provider, person);
    const { body } = await client.post('/v1/probes', { note: 'A note' });
    expect((await (await sessionOf(person)).get(`/v1/probes/${body.id}`)).body).toEqual(body);
    expect(await client.get('/v1/sessions')).toMatchObject({ status: 401, problem: 'mode-not-accepted' });
  });

  it('refuses a token of another key, audience or issuer, and one of an unknown identity', async () => {
    const person = await context.server.person();
    await idpOf(context.server, provider, person);
    const [{ subject }] = await context.server.query('SELECT subject FROM identities WHERE user_id = $1', [
      person.id,
    ]);
    const good = await provider.token(subject);
    expect((await presenting(person, good).get('/v1/probes')).status).toBe(200);
    const bad = [
      await provider.token(subject, {}, (await generateKeyPair('ES256')).privateKey),
      await provider.token(subject, { aud: 'https://other.example.com' }),
      await provider.token(subject, { iss: 'https://other.example.com' }),
      await provider.token('unknown'),
      good.slice(0, -2),
      `${good} junk`,
    ];
    for (const token of bad)
      expect(await presenting(person, token).get('/v1/probes')).toMatchObject({
        status: 401,
        problem: 'invalid-credential',
      });
  });

  it('refuses an expired token, and a token of a disabled user', async () => {
    const person = await context.server.person();
    const client = await idpOf(context.server, provider, person);
    await context.server.query(`UPDATE users SET status = 'disabled' WHERE id = $1`, [person.id]);
    expect((await client.get('/v1/probes')).status).toBe(401);
    await context.server.query(`UPDATE users SET status = 'active' WHERE id = $1`, [person.id]);
    expect((await client.get('/v1/probes')).status).toBe(200);
    await context.server.clock.advance('11m');
    expect((await client.get('/v1/probes')).status).toBe(401);
    await context.server.clock.reset();
  });
});
