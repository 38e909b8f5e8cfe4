import { describe, expect, it } from '@jest/globals';
import { randomSecret } from '../../../src/platform/crypto/secret.js';
import type { AuthenticatorApp } from '../../support/authenticator-app.js';
import { from, many, newAddress, times } from '../../support/guesses.js';
import { sessionOf } from '../../support/modes/session.js';
import type { Person } from '../../support/person.js';
import { enrolPasskey, enrolTotp } from '../../support/second-factors.js';
import { useServer } from '../../support/server.js';

const ATTEMPTS = 10;

describe('guesses at a second factor by a stranger who knows the password', () => {
  const context = useServer({ env: { TRUSTED_PROXIES: 'loopback' } });
  const enrolled = async () => {
    const person = await context.server.person();
    const answer = await from(person.anonymous, newAddress()).post('/v1/sessions', {
      email: person.email,
      password: person.password,
    });
    const device = answer.cookies['__Host-device']!;
    return { person, device, ...(await enrolTotp(context.server, await sessionOf(person))) };
  };
  const wrong = async (app: AuthenticatorApp) => app.wrongCodeAt(await context.server.clock.now());
  /** A right code that was not used before. */
  const next = async (app: AuthenticatorApp) => app.codeAt(await context.server.clock.now(), 1);
  /** A right password and then a code, from an unknown address. */
  const send = async ({ email, password, anonymous }: Person, totp: string, device?: string) => {
    const client = from(anonymous, newAddress(), device);
    const { mfaToken } = (await client.post('/v1/sessions', { email, password })).body;
    return client.post('/v1/sessions', { mfaToken, totp });
  };

  it('are limited for the account, whatever addresses and tokens they come with', async () => {
    const { person, app, device } = await enrolled();
    const statuses: number[] = [];
    for (let i = 0; i < 12; i += 1) statuses.push((await send(person, await wrong(app))).status);
    expect(statuses).toEqual([...times(ATTEMPTS, 401), 429, 429]);
    const right = await next(app);
    expect(await send(person, right)).toMatchObject({ status: 429, problem: 'rate-limited' });
    expect((await send(person, right, device)).status).toBe(201);
  });

  it('do not use up the attempts of the mfaToken when the limit is reached', async () => {
    const { person, app, device } = await enrolled();
    for (let i = 0; i < ATTEMPTS; i += 1) await send(person, await wrong(app));
    const { email, password, anonymous } = person;
    const stranger = from(anonymous, newAddress());
    const { mfaToken } = (await stranger.post('/v1/sessions', { email, password })).body;
    const totp = await next(app);
    for (let i = 0; i < 6; i += 1)
      expect((await stranger.post('/v1/sessions', { mfaToken, totp })).status).toBe(429);
    const known = from(anonymous, newAddress(), device);
    expect((await known.post('/v1/sessions', { mfaToken, totp })).status).toBe(201);
  });

  it('are limited in a sign-in, together for all factors', async () => {
    const { session, app } = await enrolled();
    const reauthenticate = (body: object) => session.post('/v1/sessions/current/reauthentication', body);
    for (let i = 0; i < ATTEMPTS - 1; i += 1)
      expect((await reauthenticate({ totp: await wrong(app) })).status).toBe(401);
    expect((await reauthenticate({ recoveryCode: 'AAAAAA-AAAAAA-AAAAAA-AAAAAA' })).status).toBe(401);
    expect(await reauthenticate({ totp: await next(app) })).toMatchObject({
      status: 429,
      problem: 'rate-limited',
    });
  });

  it('do not hold back a passkey, which nobody can guess', async () => {
    const { person, app, session: first } = await enrolled();
    const { session, authenticator } = await enrolPasskey(context.server, first);
    const options = async () => (await person.anonymous.post('/v1/passkey-options')).body;
    const reauthenticate = (body: object) => session.post('/v1/sessions/current/reauthentication', body);
    for (let i = 0; i < ATTEMPTS; i += 1) {
      await send(person, await wrong(app));
      await reauthenticate({ totp: await wrong(app) });
    }
    expect((await send(person, await wrong(app))).status).toBe(429);
    expect((await reauthenticate({ totp: await wrong(app) })).status).toBe(429);
    const passkey = authenticator.get(await options());
    const signedIn = await from(person.anonymous, newAddress()).post('/v1/sessions', { passkey });
    expect(signedIn.status).toBe(201);
    expect((await reauthenticate({ passkey: authenticator.get(await options()) })).status).toBe(200);
  });
});

describe('refused proofs that name no account', () => {
  const context = useServer({ env: { TRUSTED_PROXIES: 'loopback' } });
  const LIMIT = 100;
  const passkey = {
    id: 'AAAA',
    rawId: 'AAAA',
    type: 'public-key',
    response: { clientDataJSON: 'AAAA', authenticatorData: 'AAAA', signature: 'AAAA' },
    clientExtensionResults: {},
  };

  it.each<[string, () => object]>([
    ['mfaToken', () => ({ mfaToken: randomSecret(), totp: '123456' })],
    ['passkey', () => ({ passkey })],
  ])('are limited by address: %s', async (_name, body) => {
    const { server } = context;
    const client = from(server.anonymous, newAddress());
    const send = () => client.post('/v1/sessions', body());
    const answers = await many(LIMIT + 10, send);
    const statuses = answers.map(({ status }) => status).toSorted((a, b) => a - b);
    expect(statuses).toEqual([...times(LIMIT, 401), ...times(10, 429)]);
    expect(await send()).toMatchObject({ status: 429, problem: 'rate-limited' });
    const others = from(server.anonymous, newAddress());
    expect((await others.post('/v1/sessions', body())).status).toBe(401);
  });

  it('do not hold back a right proof from the same address', async () => {
    const person = await context.server.person();
    const client = from(person.anonymous, newAddress());
    const { app } = await enrolTotp(context.server, await sessionOf(person));
    const refused = () => client.post('/v1/sessions', { mfaToken: randomSecret(), totp: '123456' });
    await many(LIMIT + 1, refused);
    expect((await refused()).status).toBe(429);
    const { email, password } = person;
    const { mfaToken } = (await client.post('/v1/sessions', { email, password })).body;
    const totp = app.codeAt(await context.server.clock.now(), 1);
    expect((await client.post('/v1/sessions', { mfaToken, totp })).status).toBe(201);
  });
});
