import { afterEach, describe, expect, it } from '@jest/globals';
import { USER_KEYS } from '../../../src/extras/own-api-keys/own-keys.js';
import { CreateApiKey } from '../../../src/modes/api-keys/api-keys.schemas.js';
import { ApiKeysService } from '../../../src/modes/api-keys/api-keys.service.js';
import { HousekeepingService } from '../../../src/platform/housekeeping/housekeeping.service.js';
import { InProcessServer } from '../../support/in-process.js';
import { KeyClient } from '../../support/modes/api-key.js';
import { exchange } from '../../support/modes/machine.js';
import { SessionClient } from '../../support/modes/session.js';
import { useStarted } from '../../support/server.js';

const STRANGER = 'the password of a stranger';
const OWNER = 'the password of the owner';
const PATH = '/v1/email-verifications';

let count = 0;
const newAddress = () => `victim-${(count += 1)}@example.com`;

describe('registrations of one address by several people', () => {
  const context = useStarted(() => InProcessServer.start());
  afterEach(() => context.server.clock.reset());

  /** Registers, and returns the token of the link that was mailed. */
  const register = async (email: string, password: string, name?: string) => {
    const answer = await context.server.anonymous.post('/v1/users', {
      email,
      password,
      ...(name && { name }),
    });
    expect(answer).toMatchObject({ status: 202, body: { message: 'Check your email to continue.' } });
    return context.server.mailedToken(email);
  };
  const confirm = (body: object) => context.server.anonymous.put(PATH, body);
  const signIn = (email: string, password: string) =>
    context.server.anonymous.post('/v1/sessions', { email, password });
  const statuses = async (email: string) => [
    (await signIn(email, STRANGER)).status,
    (await signIn(email, OWNER)).status,
  ];
  const rowOf = async (email: string) =>
    (await context.server.dataSource.query('SELECT * FROM users WHERE email = $1', [email]))[0];
  /** What a stranger who registered first has: a session, tokens, and a key. */
  const intrude = async (email: string) => {
    const { server } = context;
    const session = SessionClient.from(server.url, server.secrets, await signIn(email, STRANGER));
    const tokens = await server.anonymous.post('/v1/tokens', { email, password: STRANGER });
    const made = await session.post('/v1/api-keys', { name: 'A test', scopes: ['profile:read'] });
    const key = KeyClient.from(server.url, server.secrets, made);
    const jwt = server.anonymous.with({ Authorization: `Bearer ${tokens.body.access_token}` });
    return { clients: [session, jwt, key, await exchange(key)], tokens };
  };

  it('give the account to the first one that is confirmed, with its password and name', async () => {
    const email = newAddress();
    const strangers = await register(email, STRANGER, 'A stranger');
    const owners = await register(email, OWNER, 'The owner');
    expect((await confirm({ token: owners })).status).toBe(204);
    expect(await statuses(email)).toEqual([401, 201]);
    expect(await rowOf(email)).toMatchObject({ name: 'The owner' });
    expect(await confirm({ token: strangers })).toMatchObject({
      status: 400,
      problem: 'invalid-one-time-token',
    });
    expect(await confirm({ token: owners })).toMatchObject({ status: 409, problem: 'already-confirmed' });
    expect(await statuses(email)).toEqual([401, 201]);
  });

  it('end the sign-ins, tokens and keys of a stranger who used the account until then', async () => {
    const email = newAddress();
    await register(email, STRANGER);
    const { clients, tokens } = await intrude(email);
    for (const client of clients) expect((await client.get('/v1/probes/principal')).status).toBe(200);
    await confirm({ token: await register(email, OWNER) });
    for (const client of clients) expect((await client.get('/v1/probes/principal')).status).toBe(401);
    const refresh = { refreshToken: tokens.body.refresh_token };
    expect((await context.server.anonymous.post('/v1/tokens/refresh', refresh)).status).toBe(401);
    expect(await statuses(email)).toEqual([401, 201]);
  });

  it('change nothing about an account that is in use before a link is confirmed', async () => {
    const email = newAddress();
    await register(email, STRANGER);
    const { clients } = await intrude(email);
    const before = await rowOf(email);
    await register(email, OWNER, 'The owner');
    expect(await rowOf(email)).toEqual(before);
    expect(await statuses(email)).toEqual([201, 401]);
    for (const client of clients) expect((await client.get('/v1/probes/principal')).status).toBe(200);
  });

  it('leave the sign-ins of the first registrant alone where that registration is confirmed', async () => {
    const email = newAddress();
    const token = await register(email, STRANGER);
    const { clients } = await intrude(email);
    await register(email, OWNER);
    await confirm({ token });
    for (const client of clients) expect((await client.get('/v1/probes/principal')).status).toBe(200);
    expect(await statuses(email)).toEqual([201, 401]);
    const kept = `SELECT 1 FROM registrations WHERE user_id = $1`;
    expect(await context.server.dataSource.query(kept, [(await rowOf(email)).id])).toEqual([]);
  });

  it('neither confirm nor replace an account that is disabled', async () => {
    const { server } = context;
    const email = newAddress();
    const links = [await register(email, STRANGER), await register(email, OWNER)];
    const { id } = await rowOf(email);
    await server.dataSource.query(`UPDATE users SET status = 'disabled' WHERE id = $1`, [id]);
    for (const token of links)
      expect(await confirm({ token })).toMatchObject({ status: 400, problem: 'invalid-one-time-token' });
    expect((await server.anonymous.post('/v1/users', { email, password: OWNER })).status).toBe(202);
    const kept = 'SELECT 1 FROM registrations WHERE user_id = $1';
    expect(await server.dataSource.query(kept, [id])).toHaveLength(1);
    expect(await rowOf(email)).toMatchObject({ status: 'disabled', email_verified_at: null });
    expect(await statuses(email)).toEqual([401, 401]);
  });

  it('never confirm the password of a stranger by a link that was asked for by address alone', async () => {
    const { server } = context;
    const email = newAddress();
    await register(email, STRANGER);
    const { clients } = await intrude(email);
    await server.anonymous.post(PATH, { email });
    const token = await server.mailedToken(email);
    expect(await confirm({ token })).toMatchObject({ status: 400, problem: 'validation-failed' });
    expect((await rowOf(email)).email_verified_at).toBeNull();
    expect((await confirm({ token, newPassword: OWNER })).status).toBe(204);
    expect(await statuses(email)).toEqual([401, 201]);
    for (const client of clients) expect((await client.get('/v1/probes/principal')).status).toBe(401);
    expect(await confirm({ token, newPassword: STRANGER })).toMatchObject({ status: 409 });
    expect(await statuses(email)).toEqual([401, 201]);
  });

  it('tell in each mail which registration the link confirms, and what to do if it was somebody else', async () => {
    const email = newAddress();
    context.server.clock.advance('3h');
    await register(email, OWNER);
    const at = (await rowOf(email)).created_at.toISOString().slice(0, 16).replace('T', ' ');
    const mail = (await context.server.mails()).findLast((text) => text.includes(`To: ${email}`))!;
    expect(mail).toContain(`It confirms the registration of ${at} UTC`);
    expect(mail).toContain('If it was not you who registered\nat that time, do not use the link');
  });

  it('are kept at most 5 times an hour, so that the owner is not flooded with mails', async () => {
    const email = newAddress();
    await register(email, STRANGER);
    for (let i = 0; i < 8; i += 1) await register(email, OWNER);
    const kept = `SELECT 1 FROM registrations WHERE user_id = $1`;
    expect(await context.server.dataSource.query(kept, [(await rowOf(email)).id])).toHaveLength(5);
    const mails = (await context.server.mails()).filter((mail) => mail.includes(`To: ${email}`));
    expect(mails).toHaveLength(6);
  });

  describe('that nobody confirms', () => {
    const housekeeping = () => context.server.app.get(HousekeepingService).run();

    it('are deleted after 7 days, with an account that nobody signed in to', async () => {
      const { server } = context;
      const [unused, used, confirmed] = [newAddress(), newAddress(), newAddress()];
      for (const email of [unused, used]) await register(email, STRANGER);
      const { id } = await rowOf(unused);
      await signIn(used, STRANGER);
      await confirm({ token: await register(confirmed, OWNER) });
      for (const email of [unused, used]) await register(email, OWNER);
      const left = async () => ({
        accounts: await Promise.all(
          [unused, used, confirmed].map(async (email) => Boolean(await rowOf(email))),
        ),
        registrations: (await server.dataSource.query('SELECT 1 FROM registrations')).length,
        subjects: (await server.dataSource.query('SELECT 1 FROM subjects WHERE id = $1', [id])).length,
      });
      server.clock.advance('167h');
      await housekeeping();
      expect(await left()).toMatchObject({ accounts: [true, true, true], subjects: 1 });
      server.clock.advance('61m');
      await housekeeping();
      expect(await left()).toEqual({ accounts: [false, true, true], registrations: 0, subjects: 0 });
      // However long ago the sign-in was.
      server.clock.advance('1000h');
      await housekeeping();
      expect(await left()).toMatchObject({ accounts: [false, true, true] });
    });

    it('are kept while a link works, however old the first registration of the address is', async () => {
      const { server } = context;
      const email = newAddress();
      await register(email, STRANGER);
      server.clock.advance('167h');
      const token = await register(email, OWNER);
      server.clock.advance('23h');
      await housekeeping();
      expect((await confirm({ token })).status).toBe(204);
      expect(await statuses(email)).toEqual([401, 201]);
    });

    it('are kept where the account has a key from the command line', async () => {
      const { server } = context;
      const email = newAddress();
      await register(email, OWNER);
      const fields = CreateApiKey.parse({ name: 'A test', scopes: ['probes:read'] });
      const holder = await USER_KEYS.find(server.dataSource.manager, email);
      await server.app.get(ApiKeysService).create(holder!, fields);
      server.clock.advance('8d');
      await housekeeping();
      expect(await rowOf(email)).toBeDefined();
    });

    it.each([
      ['users', 'unused_since'],
      ['registrations', 'created_at'],
      ['email_verifications', 'expires_at'],
    ])('are found in %s by an index on %s', async (table, column) => {
      await context.server.dataSource.transaction(async (manager) => {
        await manager.query('SET LOCAL enable_seqscan = off');
        const plan = await manager.query(`EXPLAIN SELECT 1 FROM ${table} WHERE ${column} <= now()`);
        expect(JSON.stringify(plan)).toContain(`${table}_${column}_idx`);
      });
    });
  });
});
