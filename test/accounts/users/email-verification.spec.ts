import { beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { randomSecret } from '../../../src/platform/crypto/secret.js';
import { ANSWER_AFTER_MS } from '../../../src/platform/lookup/fixed-time.js';
import type { Answer } from '../../support/client.js';
import { signIns } from '../../support/modes/any.js';
import { PASSWORD, useServer } from '../../support/server.js';
import { until } from '../../support/until.js';

const INVALID = { status: 400, problem: 'invalid-one-time-token' };
const PATH = '/v1/email-verifications';
const ACCEPTED = { message: 'If this address is registered and unconfirmed, a mail was sent to it.' };

/** Registrations wait for a fixed time: these are made at once. */
const PREPARED = 20;

let count = 0;
const newAddress = () => `new-${(count += 1)}@example.com`;

describe('email verification', () => {
  const context = useServer();
  const confirm = (token: unknown) => context.server.anonymous.put(PATH, { token });
  const request = (email: unknown) => context.server.anonymous.post(PATH, { email });
  const register = (email: string, server = context.server) =>
    server.anonymous.post('/v1/users', { email, password: PASSWORD });
  const signInAs = (email: string, password = PASSWORD) =>
    context.server.anonymous.post(signIns[0]!.path, { email, password, ...signIns[0]!.fields });
  const outbox = async () => (await context.server.mails()).length;
  /** What an answer shows to who asks, but for the request's own id. */
  const visible = ({ status, body, headers, cookies }: Answer) => {
    const { instance: _, ...rest } = body;
    return { status, body: rest, challenges: headers.get('www-authenticate'), cookies };
  };

  describe('PUT /v1/email-verifications', () => {
    const prepared: string[] = [];
    let email: string;
    let token: string;
    const confirmed = async (): Promise<boolean> => {
      const [row] = await context.server.query('SELECT email_verified_at FROM users WHERE email = $1', [
        email,
      ]);
      return row.email_verified_at !== null;
    };

    beforeAll(async () => {
      prepared.push(...Array.from({ length: PREPARED }, newAddress));
      await Promise.all(prepared.map((address) => register(address)));
    });
    beforeEach(async () => {
      await context.server.clock.reset();
      email = prepared.pop()!;
      token = await context.server.mailedToken(email);
    });

    it('confirms the address with the token in the fragment of the link', async () => {
      const mail = (await context.server.mails()).findLast((text) => text.includes(`To: ${email}`));
      expect(mail).toContain(`\n${context.server.config.ISSUER}/verify#${token}\n`);
      expect(await confirmed()).toBe(false);
      expect(await confirm(token)).toMatchObject({ status: 204, body: undefined });
      expect(await confirmed()).toBe(true);
    });

    it('[V6.4.1] accepts a token once, and answers "already confirmed" after that', async () => {
      await confirm(token);
      const again = await confirm(token);
      expect(again).toMatchObject({ status: 409, problem: 'already-confirmed' });
      expect(again.body.title).toBe('Address already confirmed');
      expect(await confirmed()).toBe(true);
    });

    it('accepts a token for 24 hours', async () => {
      await context.server.clock.advance('1439m');
      expect((await confirm(token)).status).toBe(204);
    });

    it('refuses a token after 24 hours', async () => {
      await context.server.clock.advance('24h');
      expect(await confirm(token)).toMatchObject(INVALID);
      await context.server.clock.reset();
      expect(await confirmed()).toBe(false);
    });

    it('keeps an earlier link valid until it expires', async () => {
      expect(await request(email)).toMatchObject({ status: 202 });
      expect(await context.server.mailedToken(email)).not.toBe(token);
      expect((await confirm(token)).status).toBe(204);
    });

    it('voids links to a new password when the registration is confirmed', async () => {
      await request(email);
      const newer = await context.server.mailedToken(email);
      await confirm(token);
      expect(
        await context.server.anonymous.put(PATH, { token: newer, newPassword: 'a new password of it' }),
      ).toMatchObject(INVALID);
    });

    it('refuses a new password with the link of a registration, which still works', async () => {
      const answer = await context.server.anonymous.put(PATH, { token, newPassword: 'a new password of it' });
      expect(answer).toMatchObject({ status: 400, problem: 'validation-failed' });
      expect(answer.body.errors).toMatchObject([{ pointer: '/newPassword' }]);
      expect((await confirm(token)).status).toBe(204);
    });

    it('[V6.5.2] stores the SHA-256 of the token only', async () => {
      const [row] = await context.server.query(
        `SELECT count(*)::int AS n FROM email_verifications WHERE token_hash = sha256($1::text::bytea)`,
        [token],
      );
      expect(row.n).toBe(1);
    });

    it.each([
      ['unknown', () => randomSecret()],
      ['empty', () => ''],
      ['shortened', () => token.slice(0, -1)],
      ['padded', () => `${token}=`],
      ['in another case', () => token.toUpperCase()],
      ['with a NUL', () => `${token}\0`],
    ])('refuses a token that is %s', async (_what, make) => {
      expect(await confirm(make())).toMatchObject(INVALID);
      expect((await confirm(token)).status).toBe(204);
    });

    it('answers the same for unknown, superseded and expired', async () => {
      const other = newAddress();
      await register(other);
      const late = await context.server.mailedToken(other);
      await register(email);
      const superseding = await context.server.mailedToken(email);
      expect((await confirm(superseding)).status).toBe(204);
      await context.server.clock.advance('23h');
      const superseded = await confirm(token);
      await context.server.clock.advance('2h');
      const answers = [{ ...superseded.body, instance: 'any' }];
      for (const presented of [randomSecret(), late])
        answers.push({ ...(await confirm(presented)).body, instance: 'any' });
      expect(answers[1]).toEqual(answers[0]);
      expect(answers[2]).toEqual(answers[0]);
    });

    it.each([
      ['no token', {}, '/token'],
      ['a number', { token: 42 }, '/token'],
      ['a long text', { token: 'x'.repeat(201) }, '/token'],
      ['an unknown field', { token: 'x', email: 'ada@example.com' }, '/email'],
    ])('refuses %s as a validation error', async (_what, body, pointer) => {
      const answer = await context.server.anonymous.put(PATH, body);
      expect(answer).toMatchObject({ status: 400, problem: 'validation-failed' });
      expect(answer.body.errors).toMatchObject([{ pointer }]);
    });
  });

  describe('POST /v1/email-verifications', () => {
    it('mails a new link to an unconfirmed address, in upper or lower case', async () => {
      const email = newAddress();
      await register(email);
      const before = await outbox();
      expect(await request(email.toUpperCase())).toMatchObject({ status: 202, body: ACCEPTED });
      expect(await outbox()).toBe(before + 1);
      expect((await context.server.mails()).at(-1)).toContain(`To: ${email}`);
    });

    it('mails a link that sets a new password', async () => {
      const { server } = context;
      const email = newAddress();
      await register(email);
      await request(email);
      expect((await server.mails()).at(-1)).toContain('set a new password here:');
      const token = await server.mailedToken(email);
      const without = await confirm(token);
      expect(without).toMatchObject({ status: 400, problem: 'validation-failed' });
      expect(without.body.errors).toMatchObject([{ pointer: '/newPassword' }]);
      const common = await server.anonymous.put(PATH, { token, newPassword: 'password1' });
      expect(common.body.errors).toMatchObject([{ pointer: '/newPassword' }]);
      const newPassword = 'a new password of the owner';
      expect((await server.anonymous.put(PATH, { token, newPassword })).status).toBe(204);
      expect((await signInAs(email, newPassword)).status).toBe(201);
      expect((await signInAs(email)).status).toBe(401);
    });

    it('takes the same fixed time for every address, whatever the work behind it', async () => {
      const { server } = context;
      const unverified = newAddress();
      await register(unverified);
      for (const email of ['nobody@example.com', (await server.person()).email, unverified]) {
        const started = performance.now();
        expect(await request(email)).toMatchObject({ status: 202, body: ACCEPTED });
        expect(performance.now() - started).toBeGreaterThan(ANSWER_AFTER_MS - 2);
      }
    });

    it('mails at most 5 links an hour to one address, and gives further requests the same answer', async () => {
      const email = newAddress();
      await register(email);
      const before = await outbox();
      const answers = await Promise.all(Array.from({ length: 8 }, () => request(email)));
      expect(new Set(answers.map((answer) => JSON.stringify(visible(answer)))).size).toBe(1);
      expect(await outbox()).toBe(before + 5);
    });

    it('limits the requests of one client', async () => {
      const { headers } = await request('nobody@example.com');
      expect(headers.get('ratelimit-policy')).toBe('"email-verifications";q=300;w=600');
    });

    it('gives the same answer and sends no mail if there is nothing to confirm', async () => {
      const { server } = context;
      const disabled = newAddress();
      await register(disabled);
      await server.query(`UPDATE users SET status = 'disabled' WHERE email = $1`, [disabled]);
      const before = await outbox();
      for (const email of ['nobody@example.com', (await server.person()).email, disabled])
        expect(await request(email)).toMatchObject({ status: 202, body: ACCEPTED });
      expect(await outbox()).toBe(before);
    });

    it('refuses an invalid address', async () => {
      const answer = await request('nobody');
      expect(answer).toMatchObject({ status: 400, problem: 'validation-failed' });
      expect(answer.body.errors).toEqual([{ pointer: '/email', detail: 'must be an email address' }]);
    });
  });

  describe('signing in with REQUIRE_VERIFIED_EMAIL=on', () => {
    const strict = useServer({ env: { REQUIRE_VERIFIED_EMAIL: 'on' } });

    it.each(signIns)(
      'answers by $mode like a wrong password before verification, says why by mail, and works after it',
      async ({ path, fields }) => {
        const { server } = strict;
        const email = newAddress();
        await register(email, server);
        const ask = (password: string) => server.anonymous.post(path, { email, password, ...fields });
        const before = (await server.mails()).length;
        const wrong = await ask('a wrong password');
        expect(wrong).toMatchObject({ status: 401, problem: 'invalid-credential' });
        expect(await server.mails()).toHaveLength(before);

        const right = await ask(PASSWORD);
        expect(visible(right)).toEqual(visible(wrong));
        // The mail is sent after the answer, so that the time of the answer tells nothing.
        await until(async () => (await server.mails()).length > before);
        const mail = (await server.mails())[before];
        expect(mail).toContain(`To: ${email}`);
        expect(mail).toContain('Before you can sign in, please confirm that this is your email address');

        await server.anonymous.put(PATH, { token: await server.mailedToken(email) });
        expect((await ask(PASSWORD)).status).toBe(201);
      },
    );

    it('does not mail again at each sign-in with the right password', async () => {
      const { server } = strict;
      const [email, other] = [newAddress(), newAddress()];
      await Promise.all([email, other].map((address) => register(address, server)));
      const mailsTo = async (address: string) =>
        (await server.mails()).filter((mail) => mail.includes(`To: ${address}`)).length;
      const { path, fields } = signIns[0]!;
      const ask = (address: string) =>
        server.anonymous.post(path, { email: address, password: PASSWORD, ...fields });
      for (let i = 0; i < 5; i += 1) await ask(email);
      await ask(other);
      await until(async () => (await mailsTo(other)) === 2);
      expect(await mailsTo(email)).toBe(2);
    });
  });

  describe('GET /verify', () => {
    it('is a page that loads one script of this server, and has no inline script', async () => {
      const { status, headers, body: html } = await context.server.anonymous.get('/verify');
      expect(status).toBe(200);
      expect(headers.get('content-type')).toBe('text/html; charset=utf-8');
      const policy = headers.get('content-security-policy');
      expect(policy).toContain("default-src 'none'");
      expect(policy).toContain("script-src 'self';");
      expect(policy).toContain("frame-ancestors 'none'");
      expect(policy).not.toMatch(/script-src[^;]*unsafe/);
      expect(html.match(/<script[^>]*>[^<]*/g)).toEqual(['<script src="verify.js">']);
      expect(html).not.toMatch(/\son\w+\s*=|javascript:/i);
      expect(headers.get('referrer-policy')).toBe('no-referrer');
      expect(headers.get('x-content-type-options')).toBe('nosniff');
    });
  });
});
