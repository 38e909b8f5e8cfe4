import { beforeAll, describe, expect, it } from '@jest/globals';
import { ANSWER_AFTER_MS } from '../../../src/platform/lookup/fixed-time.js';
import type { Answer, Client } from '../../support/client.js';
import {
  signIn,
  signIns,
  // room: tokens
  tokens,
  // /room
} from '../../support/modes/any.js';
// room: own-api-keys
import { apiKeyOf } from '../../support/modes/api-key.js';
// /room
import { PASSWORD, useServer } from '../../support/server.js';

const TAKEN_SUBJECT = 'Subject: Registration with your email address';
const CONFIRM_SUBJECT = 'Subject: Confirm your email address';

/** What an answer shows to who asks, but for the request's own id and time. */
function visible({ status, body, headers }: Answer) {
  const shown = Object.fromEntries(headers);
  // The count of RateLimit goes down with each request.
  for (const name of ['x-request-id', 'date', 'ratelimit']) delete shown[name];
  return { status, body, headers: shown };
}

const pointers = ({ body }: Answer) => body.errors.map(({ pointer }: { pointer: string }) => pointer);

describe('users', () => {
  const context = useServer();

  const register = (body: unknown) => context.server.anonymous.post('/v1/users', body);
  const mailsTo = async (email: string) =>
    (await context.server.mails()).filter((mail) => mail.includes(`To: ${email}`));
  const rows = (email: string) => context.server.query('SELECT * FROM users WHERE email = $1', [email]);
  const ask = (email: string, password: string, { path, fields } = signIns[0]!) =>
    context.server.anonymous.post(path, { email, password, ...fields });
  let count = 0;
  const unused = () => `unused-${(count += 1)}@example.com`;

  /** The escape `\ud800` stands for half a character, which is none. */
  const withLoneSurrogate = (email: string) =>
    `{"email":"${email}","password":"a long enough \\ud800 password"}`;

  describe('POST /v1/users', () => {
    it('registers a user without roles and with an unconfirmed address', async () => {
      const email = unused();
      const answer = await register({ email, password: PASSWORD, name: 'Ada' });
      expect(answer).toMatchObject({ status: 202, body: { message: expect.any(String) } });
      expect(await rows(email)).toMatchObject([
        { email, name: 'Ada', roles: [], status: 'active', email_verified_at: null },
      ]);
      const [mail, ...others] = await mailsTo(email);
      expect(others).toEqual([]);
      expect(mail).toContain(CONFIRM_SUBJECT);
    });

    it('stores the password as an argon2id hash', async () => {
      const email = unused();
      await register({ email, password: PASSWORD });
      const [{ password_hash: hash }] = await rows(email);
      expect(hash).toMatch(/^\$argon2id\$v=19\$m=\d+,t=\d,p=1\$/);
    });

    it('gives a free and a taken address the same answer, and mails to both', async () => {
      const taken = (await context.server.person()).email;
      const free = unused();
      const before = await rows(taken);
      const answers = [];
      for (const email of [free, taken])
        answers.push(visible(await register({ email, password: 'another password for it', name: 'Eve' })));
      expect(answers[1]).toEqual(answers[0]);
      expect(await rows(taken)).toEqual(before);
      const mails = await mailsTo(taken);
      expect(mails).toHaveLength(1);
      expect(mails[0]).toContain(TAKEN_SUBJECT);
      expect(mails[0]).not.toMatch(/#[A-Za-z0-9_-]{20,}/);
      expect(await mailsTo(free)).toHaveLength(1);
    });

    it('[V6.3.8] takes the same fixed time for a free, an unconfirmed and a taken address', async () => {
      const [free, taken] = [unused(), (await context.server.person()).email];
      for (const email of [free, free, taken]) {
        const started = performance.now();
        await register({ email, password: PASSWORD });
        expect(performance.now() - started).toBeGreaterThan(ANSWER_AFTER_MS - 2);
      }
    });

    it('refuses the password of a second registration', async () => {
      const ada = await context.server.person();
      await register({ email: ada.email, password: 'a password of somebody else' });
      expect((await ask(ada.email, 'a password of somebody else')).status).toBe(401);
      expect((await ask(ada.email, PASSWORD)).status).toBe(201);
    });

    it('treats an address in upper and lower case as the same', async () => {
      const ada = await context.server.person();
      await register({ email: ada.email.toUpperCase(), password: PASSWORD });
      expect((await mailsTo(ada.email)).at(-1)).toContain(TAKEN_SUBJECT);
      expect((await ask(ada.email.toUpperCase(), PASSWORD)).status).toBe(201);
    });

    it.each([
      ['7 characters', 'kqzvwxj'],
      ['7 emoji', '🦩🪴🧭🫖🛶🪁🧵'],
      ['129 characters', `${'kqzvwxjp'.repeat(16)}x`],
      ['a common password', 'password1'],
      ['a common password in another case', 'PASSWORD1'],
      ['the address', 'refused@example.com'],
      ['the part of the address before the @', 'Refused!'],
      ['the name', 'Augusta Ada'],
      ['the name of this service', 'authmodes'],
    ])('[V6.2.1] refuses a password that is %s', async (_what, password) => {
      const answer = await register({ email: 'refused@example.com', password, name: 'Augusta Ada' });
      expect(answer).toMatchObject({ status: 400, problem: 'validation-failed' });
      expect(pointers(answer)).toEqual(['/password']);
      expect(await rows('refused@example.com')).toEqual([]);
      expect(await mailsTo('refused@example.com')).toEqual([]);
    });

    it.each([
      ['8 characters', 'kqzvwxjp'],
      ['8 emoji', '🦩🪴🧭🫖🛶🪁🧵🪡'],
      ['128 characters', 'kqzvwxjp'.repeat(16)],
      ['128 emoji', '🦩'.repeat(128)],
      ['spaces at both ends', '  kqzvwxjp  '],
      ['a NUL', 'kqzv\0wxjp'],
    ])('[V6.2.8] accepts a password of %s, and signs in with exactly this one', async (_what, password) => {
      const ada = await context.server.person({ email: unused(), password });
      expect((await ask(ada.email, password)).status).toBe(201);
      const almost = [Array.from(password).slice(0, -1).join(''), `${password}x`, password.toUpperCase()];
      almost.push(password.trim(), password.split('\0', 1)[0]!);
      for (const other of almost.filter((text) => text !== password))
        expect((await ask(ada.email, other)).status).toBe(401);
    });

    it('treats composed and decomposed characters as the same', async () => {
      const ada = await context.server.person({ email: unused(), password: 'un cafe\u0301 noir' });
      expect((await ask(ada.email, 'un caf\u00e9 noir')).status).toBe(201);
    });

    it('refuses ill-formed Unicode in a password, also to sign in', async () => {
      const { server } = context;
      const answer = await register(withLoneSurrogate('refused@example.com'));
      expect(answer).toMatchObject({ status: 400, problem: 'validation-failed' });
      expect(pointers(answer)).toEqual(['/password']);
      // In UTF-8 every lone surrogate becomes U+FFFD: a hash of the one must not open the other.
      const ada = await server.person({ email: unused(), password: 'a long enough \ufffd password' });
      const tried = await server.anonymous.post(signIns[0]!.path, withLoneSurrogate(ada.email));
      expect(tried).toMatchObject({ status: 401, problem: 'invalid-credential' });
    });

    it.each([
      ['no address', { password: PASSWORD }, ['/email']],
      ['no password', { email: 'refused@example.com' }, ['/password']],
      ['a number for a password', { email: 'refused@example.com', password: 12345678 }, ['/password']],
      ['an array for an address', { email: ['refused@example.com'], password: PASSWORD }, ['/email']],
      ['an unknown field', { email: 'refused@example.com', password: PASSWORD, isAdmin: true }, ['/isAdmin']],
      ['roles', { email: 'refused@example.com', password: PASSWORD, roles: ['admin'] }, ['/roles']],
      ['a pointer to escape', { email: 'refused@example.com', password: PASSWORD, 'a/b~c': 1 }, ['/a~1b~0c']],
      ['a NUL in the name', { email: 'refused@example.com', password: PASSWORD, name: 'A\0da' }, ['/name']],
      ['an empty name', { email: 'refused@example.com', password: PASSWORD, name: '' }, ['/name']],
      [
        '101 characters',
        { email: 'refused@example.com', password: PASSWORD, name: '🦩'.repeat(101) },
        ['/name'],
      ],
      ['null for a name', { email: 'refused@example.com', password: PASSWORD, name: null }, ['/name']],
      [
        'all at once',
        { email: 'x', password: 1, name: 2, more: 3 },
        ['/email', '/password', '/name', '/more'],
      ],
      ['an array', [], ['']],
      ['null', null, ['']],
    ])('refuses %s', async (_what, body, expected) => {
      const answer = await register(body);
      expect(answer).toMatchObject({ status: 400, problem: 'validation-failed' });
      expect(pointers(answer)).toEqual(expected);
      expect(await rows('refused@example.com')).toEqual([]);
    });

    it.each([
      'ada',
      'ada@',
      '@example.com',
      'ada@localhost',
      'ada@example.com,eve@example.com',
      'ada@example.com\r\nBcc: eve@example.com',
      'ada@exam\0ple.com',
      ' ada@example.com',
      'Ada <ada@example.com>',
      'zoë@example.com',
      'ada@exämple.com',
      `${'a'.repeat(250)}@example.com`,
    ])('refuses the address %j', async (email) => {
      const answer = await register({ email, password: PASSWORD });
      expect(answer.status).toBe(400);
      expect(pointers(answer)).toEqual(['/email']);
    });
  });

  describe('GET /v1/users/me', () => {
    it('[V15.3.1] shows the user behind any credential, and no secret', async () => {
      const ada = await context.server.person();
      const clients = await Promise.all(signIns.map(({ of }) => of(ada)));
      // room: own-api-keys
      clients.push(await apiKeyOf(ada, ['profile:read']));
      // /room
      for (const client of clients) {
        const { status, body } = await client.get('/v1/users/me');
        expect(status).toBe(200);
        expect(body).toEqual({
          id: ada.id,
          email: ada.email,
          name: null,
          emailVerified: true,
          roles: [],
          status: 'active',
          createdAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
        });
      }
    });

    // room: tokens
    it.each(tokens)('refuses a $mode without the scope profile:read', async ({ of }) => {
      const token = await of(await context.server.person(), { scope: 'probes:read' });
      expect(await token.get('/v1/users/me')).toMatchObject({ status: 403, problem: 'insufficient-scope' });
    });
    // /room
  });

  describe('PATCH /v1/users/me', () => {
    let client: Client;
    beforeAll(async () => {
      client = await signIn(await context.server.person());
    });

    it('sets the name and clears it', async () => {
      for (const name of ['Ada', '🦩'.repeat(100), null]) {
        const answer = await client.patch('/v1/users/me', { name });
        expect(answer).toMatchObject({ status: 200, body: { name } });
        expect((await client.get('/v1/users/me')).body).toEqual(answer.body);
      }
    });

    it('[V15.3.3] keeps fields that the request does not name', async () => {
      await client.patch('/v1/users/me', { name: 'Ada' });
      expect(await client.patch('/v1/users/me', {})).toMatchObject({ status: 200, body: { name: 'Ada' } });
    });

    it.each([
      ['roles', { roles: ['admin'] }, '/roles'],
      ['status', { status: 'disabled' }, '/status'],
      ['the address', { email: 'eve@example.com' }, '/email'],
      ['emailVerified', { emailVerified: true }, '/emailVerified'],
      ['the password', { password: 'another password for it' }, '/password'],
      ['the id', { id: '019ac4d2-0000-7000-8000-000000000000' }, '/id'],
      ['a number for a name', { name: 42 }, '/name'],
      ['an object for a name', { name: { $ne: null } }, '/name'],
      ['an empty name', { name: '' }, '/name'],
      ['a NUL in the name', { name: '\0' }, '/name'],
      ['an array', [], ''],
      ['no body', undefined, ''],
    ])('[V8.2.3] refuses %s', async (_what, body, pointer) => {
      const before = (await client.get('/v1/users/me')).body;
      const answer = await client.patch('/v1/users/me', body);
      expect(answer).toMatchObject({ status: 400, problem: 'validation-failed' });
      expect(pointers(answer)).toEqual([pointer]);
      expect((await client.get('/v1/users/me')).body).toEqual(before);
    });

    it('refuses a lone surrogate in the name', async () => {
      const answer = await client.patch('/v1/users/me', String.raw`{"name":"\udfff"}`);
      expect(answer.status).toBe(400);
      expect(pointers(answer)).toEqual(['/name']);
    });

    // room: own-api-keys
    it('refuses keys', async () => {
      const key = await apiKeyOf(await context.server.person(), ['profile:read', 'profile:write']);
      expect(await key.patch('/v1/users/me', { name: 'Eve' })).toMatchObject({
        status: 401,
        problem: 'mode-not-accepted',
      });
    });
    // /room

    // room: tokens
    it.each(tokens)('needs the scope profile:write of a $mode', async ({ of }) => {
      const ada = await context.server.person();
      const reading = await of(ada, { scope: 'profile:read' });
      expect(await reading.patch('/v1/users/me', { name: 'Eve' })).toMatchObject({
        status: 403,
        problem: 'insufficient-scope',
      });
      const writing = await of(ada, { scope: 'profile:write' });
      expect(await writing.patch('/v1/users/me', { name: 'Ada' })).toMatchObject({ status: 200 });
    });
    // /room
  });
});
