import { afterEach, describe, expect, it } from '@jest/globals';
import type { Client } from '../../support/client.js';
import { signIns } from '../../support/modes/any.js';
// room: own-api-keys
import { apiKeyOf, KeyClient } from '../../support/modes/api-key.js';
// /room
// room: oauth
import { exchange } from '../../support/modes/machine.js';
// /room
import { Person } from '../../support/person.js';
import { useServer } from '../../support/server.js';

const STRANGER = 'the password of a stranger';
const OWNER = 'the password of the owner';
const PATH = '/v1/email-verifications';

let count = 0;
const newAddress = () => `victim-${(count += 1)}@example.com`;

describe('registrations of one address by several people', () => {
  const context = useServer();
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
  const signIn = (email: string, password: string, { path, fields } = signIns[0]!) =>
    context.server.anonymous.post(path, { email, password, ...fields });
  const statuses = async (email: string) => [
    (await signIn(email, STRANGER)).status,
    (await signIn(email, OWNER)).status,
  ];
  const rowOf = async (email: string) =>
    (await context.server.query('SELECT * FROM users WHERE email = $1', [email]))[0];
  /** What a stranger who registered first has: sign-ins by all modes, and keys. */
  const intrude = async (email: string): Promise<Client[]> => {
    const { url, secrets } = context.server;
    const clients = await Promise.all(
      signIns.map(async (kind) => kind.from(url, secrets, await signIn(email, STRANGER, kind))),
    );
    // room: own-api-keys
    const made = await clients[0]!.post('/v1/api-keys', { name: 'A test', scopes: ['profile:read'] });
    const key = KeyClient.from(url, secrets, made);
    clients.push(key);
    // /room
    // room: oauth
    clients.push(await exchange(key));
    // /room
    return clients;
  };
  const statusesOf = (clients: readonly Client[]) =>
    Promise.all(clients.map(async (client) => (await client.get('/v1/probes/principal')).status));
  const all = (clients: readonly Client[], status: number) => clients.map(() => status);

  it('gives the account to the first registration that is confirmed, with its password and name', async () => {
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

  it('ends the sign-ins and keys of a stranger who used the account before', async () => {
    const email = newAddress();
    await register(email, STRANGER);
    const clients = await intrude(email);
    expect(await statusesOf(clients)).toEqual(all(clients, 200));
    await confirm({ token: await register(email, OWNER) });
    expect(await statusesOf(clients)).toEqual(all(clients, 401));
    // room: tokens
    for (const client of clients)
      if ('refreshToken' in client) {
        const { refreshToken } = client;
        expect((await context.server.anonymous.post('/v1/tokens/refresh', { refreshToken })).status).toBe(
          401,
        );
      }
    // /room
    expect(await statuses(email)).toEqual([401, 201]);
  });

  it('changes nothing about the account before a link is confirmed', async () => {
    const email = newAddress();
    await register(email, STRANGER);
    const clients = await intrude(email);
    const before = await rowOf(email);
    await register(email, OWNER, 'The owner');
    expect(await rowOf(email)).toEqual(before);
    expect(await statuses(email)).toEqual([201, 401]);
    expect(await statusesOf(clients)).toEqual(all(clients, 200));
  });

  it('keeps the sign-ins of the first registrant if that registration is confirmed', async () => {
    const email = newAddress();
    const token = await register(email, STRANGER);
    const clients = await intrude(email);
    await register(email, OWNER);
    await confirm({ token });
    expect(await statusesOf(clients)).toEqual(all(clients, 200));
    expect(await statuses(email)).toEqual([201, 401]);
    const kept = `SELECT 1 FROM registrations WHERE user_id = $1`;
    expect(await context.server.query(kept, [(await rowOf(email)).id])).toEqual([]);
  });

  it('neither confirms nor replaces a disabled account', async () => {
    const { server } = context;
    const email = newAddress();
    const links = [await register(email, STRANGER), await register(email, OWNER)];
    const { id } = await rowOf(email);
    await server.query(`UPDATE users SET status = 'disabled' WHERE id = $1`, [id]);
    for (const token of links)
      expect(await confirm({ token })).toMatchObject({ status: 400, problem: 'invalid-one-time-token' });
    expect((await server.anonymous.post('/v1/users', { email, password: OWNER })).status).toBe(202);
    const kept = 'SELECT 1 FROM registrations WHERE user_id = $1';
    expect(await server.query(kept, [id])).toHaveLength(1);
    expect(await rowOf(email)).toMatchObject({ status: 'disabled', email_verified_at: null });
    expect(await statuses(email)).toEqual([401, 401]);
  });

  it('never confirms the password of a stranger by a link that was requested by address', async () => {
    const { server } = context;
    const email = newAddress();
    await register(email, STRANGER);
    const clients = await intrude(email);
    await server.anonymous.post(PATH, { email });
    const token = await server.mailedToken(email);
    expect(await confirm({ token })).toMatchObject({ status: 400, problem: 'validation-failed' });
    expect((await rowOf(email)).email_verified_at).toBeNull();
    expect((await confirm({ token, newPassword: OWNER })).status).toBe(204);
    expect(await statuses(email)).toEqual([401, 201]);
    expect(await statusesOf(clients)).toEqual(all(clients, 401));
    expect(await confirm({ token, newPassword: STRANGER })).toMatchObject({ status: 409 });
    expect(await statuses(email)).toEqual([401, 201]);
  });

  it('says in each mail which registration the link confirms', async () => {
    const email = newAddress();
    await context.server.clock.advance('3h');
    await register(email, OWNER);
    const at = (await rowOf(email)).created_at.toISOString().slice(0, 16).replace('T', ' ');
    const mail = (await context.server.mails()).findLast((text) => text.includes(`To: ${email}`))!;
    expect(mail).toContain(`It confirms the registration of ${at} UTC`);
    expect(mail).toContain('If you did not register\nat that time, do not use the link');
  });

  it('keeps at most 5 registrations of an address in an hour', async () => {
    const email = newAddress();
    await register(email, STRANGER);
    await Promise.all(Array.from({ length: 8 }, () => register(email, OWNER)));
    const kept = `SELECT 1 FROM registrations WHERE user_id = $1`;
    expect(await context.server.query(kept, [(await rowOf(email)).id])).toHaveLength(5);
    const mails = (await context.server.mails()).filter((mail) => mail.includes(`To: ${email}`));
    expect(mails).toHaveLength(6);
  });

  describe('registrations that nobody confirms', () => {
    const housekeeping = () => context.server.runHousekeeping();

    it('are deleted after 7 days, with the account if nobody signed in to it', async () => {
      const { server } = context;
      const [unused, used, confirmed] = [newAddress(), newAddress(), newAddress()];
      await Promise.all([unused, used].map((email) => register(email, STRANGER)));
      const { id } = await rowOf(unused);
      await signIn(used, STRANGER);
      await confirm({ token: await register(confirmed, OWNER) });
      await Promise.all([unused, used].map((email) => register(email, OWNER)));
      const left = async () => ({
        accounts: await Promise.all(
          [unused, used, confirmed].map(async (email) => Boolean(await rowOf(email))),
        ),
        registrations: (await server.query('SELECT 1 FROM registrations')).length,
        subjects: (await server.query('SELECT 1 FROM subjects WHERE id = $1', [id])).length,
      });
      await server.clock.advance('167h');
      await housekeeping();
      expect(await left()).toMatchObject({ accounts: [true, true, true], subjects: 1 });
      await server.clock.advance('61m');
      await housekeeping();
      expect(await left()).toEqual({ accounts: [false, true, true], registrations: 0, subjects: 0 });
      // However long ago the sign-in was.
      await server.clock.advance('1000h');
      await housekeeping();
      expect(await left()).toMatchObject({ accounts: [false, true, true] });
    });

    it('are kept while a link works, even if the first registration is older', async () => {
      const { server } = context;
      const email = newAddress();
      await register(email, STRANGER);
      await server.clock.advance('167h');
      const token = await register(email, OWNER);
      await server.clock.advance('23h');
      await housekeeping();
      expect((await confirm({ token })).status).toBe(204);
      expect(await statuses(email)).toEqual([401, 201]);
    });

    // room: own-api-keys
    it('are kept if the account has a key from the command line', async () => {
      const { server } = context;
      const email = newAddress();
      await register(email, OWNER);
      await apiKeyOf(new Person(server, (await rowOf(email)).id, email, OWNER), ['probes:read']);
      await server.clock.advance('8d');
      await housekeeping();
      expect(await rowOf(email)).toBeDefined();
    });
    // /room

    it.each([
      ['users', 'unused_since'],
      ['registrations', 'created_at'],
      ['email_verifications', 'expires_at'],
    ])('are found in %s by an index on %s', async (table, column) => {
      // The planner of a small table reads all of it, unless it must not.
      await context.server.query(
        `CREATE OR REPLACE FUNCTION plan(statement text) RETURNS json LANGUAGE plpgsql SET enable_seqscan = off AS
         $$ DECLARE found json; BEGIN EXECUTE 'EXPLAIN (FORMAT JSON) ' || statement INTO found; RETURN found; END $$`,
      );
      const [{ plan }] = await context.server.query('SELECT plan($1)', [
        `SELECT 1 FROM ${table} WHERE ${column} <= now()`,
      ]);
      expect(JSON.stringify(plan)).toContain(`${table}_${column}_idx`);
    });
  });
});
