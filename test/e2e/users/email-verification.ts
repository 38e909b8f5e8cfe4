import { runInNewContext } from 'node:vm';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { randomSecret } from '../../../src/crypto/secret.js';
import type { Answer } from '../../support/client.js';
import { PASSWORD, useServer } from '../../support/server.js';

const INVALID = { status: 400, problem: 'invalid-one-time-token' };
const PATH = '/v1/email-verifications';
const ACCEPTED = { message: 'If this address is to be confirmed, a mail is on its way.' };

let count = 0;
const newAddress = () => `new-${(count += 1)}@example.com`;

describe('email verification', () => {
  const context = useServer();
  const confirm = (token: unknown) => context.server.anonymous.put(PATH, { token });
  const request = (email: unknown) => context.server.anonymous.post(PATH, { email });
  const outbox = async () => (await context.server.mails()).length;
  /** What an answer shows to who asks, but for the request's own id. */
  const visible = ({ status, body, headers, cookies }: Answer) => {
    const { instance: _, ...rest } = body;
    return { status, body: rest, challenges: headers.get('www-authenticate'), cookies };
  };

  describe('PUT /v1/email-verifications', () => {
    let email: string;
    let token: string;
    const confirmed = async (): Promise<boolean> => {
      const answer = await context.server.anonymous.post('/v1/sessions', { email, password: PASSWORD });
      return answer.body.user.emailVerified;
    };

    beforeEach(async () => {
      context.server.clock.reset();
      email = newAddress();
      await context.server.anonymous.post('/v1/users', { email, password: PASSWORD });
      token = await context.server.mailedToken(email);
    });

    it('confirms the address with the token of the link, which stands in the fragment', async () => {
      const mail = (await context.server.mails()).at(-1)!;
      expect(mail).toContain(`\n${context.server.config.ISSUER}/verify#${token}\n`);
      expect(await confirmed()).toBe(false);
      expect(await confirm(token)).toMatchObject({ status: 204, body: undefined });
      expect(await confirmed()).toBe(true);
    });

    it('takes a token once', async () => {
      await confirm(token);
      expect(await confirm(token)).toMatchObject(INVALID);
      expect(await confirmed()).toBe(true);
    });

    it('takes a token for 24 hours', async () => {
      context.server.clock.advance('1439m');
      expect((await confirm(token)).status).toBe(204);
    });

    it('refuses a token after 24 hours', async () => {
      context.server.clock.advance('24h');
      expect(await confirm(token)).toMatchObject(INVALID);
      context.server.clock.reset();
      expect(await confirmed()).toBe(false);
    });

    it('takes the token of the last mail only', async () => {
      expect(await context.server.anonymous.post(PATH, { email })).toMatchObject({ status: 202 });
      const newer = await context.server.mailedToken(email);
      expect(newer).not.toBe(token);
      expect(await confirm(token)).toMatchObject(INVALID);
      expect((await confirm(newer)).status).toBe(204);
    });

    it('stores the SHA-256 of the token only', async () => {
      const [row] = await context.server.dataSource.query(
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

    it('answers the same for unknown, used and expired', async () => {
      const other = newAddress();
      await context.server.anonymous.post('/v1/users', { email: other, password: PASSWORD });
      const late = await context.server.mailedToken(other);
      await confirm(token);
      context.server.clock.advance('25h');
      const answers = [];
      for (const presented of [randomSecret(), token, late])
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
    it('mails a new link to an address that is to be confirmed, in any case of its letters', async () => {
      const email = newAddress();
      await context.server.anonymous.post('/v1/users', { email, password: PASSWORD });
      const before = await outbox();
      expect(await request(email.toUpperCase())).toMatchObject({ status: 202, body: ACCEPTED });
      expect(await outbox()).toBe(before + 1);
      expect((await context.server.mails()).at(-1)).toContain(`To: ${email}`);
    });

    it('answers the same, and mails nobody, where there is nothing to confirm', async () => {
      const { server } = context;
      const disabled = newAddress();
      await server.anonymous.post('/v1/users', { email: disabled, password: PASSWORD });
      await server.dataSource.query(`UPDATE users SET status = 'disabled' WHERE email = $1`, [disabled]);
      const before = await outbox();
      for (const email of ['nobody@example.com', (await server.person()).email, disabled])
        expect(await request(email)).toMatchObject({ status: 202, body: ACCEPTED });
      // The person's own registration sent one.
      expect(await outbox()).toBe(before + 1);
    });

    it('refuses what is no address', async () => {
      const answer = await request('nobody');
      expect(answer).toMatchObject({ status: 400, problem: 'validation-failed' });
      expect(answer.body.errors).toEqual([{ pointer: '/email', detail: 'is no email address' }]);
    });
  });

  describe('signing in where REQUIRE_VERIFIED_EMAIL is on', () => {
    const strict = useServer({ env: { REQUIRE_VERIFIED_EMAIL: 'on' } });

    it.each(['/v1/sessions', '/v1/tokens'])(
      'answers at %s like a wrong password before verification, says why by mail, and works after it',
      async (path) => {
        const { server } = strict;
        const email = newAddress();
        await server.anonymous.post('/v1/users', { email, password: PASSWORD });
        const before = (await server.mails()).length;
        const wrong = await server.anonymous.post(path, { email, password: 'a wrong password' });
        expect(wrong).toMatchObject({ status: 401, problem: 'invalid-credential' });
        expect(await server.mails()).toHaveLength(before);

        const right = await server.anonymous.post(path, { email, password: PASSWORD });
        expect(visible(right)).toEqual(visible(wrong));
        const mail = (await server.mails()).slice(before);
        expect(mail).toHaveLength(1);
        expect(mail[0]).toContain(`To: ${email}`);
        expect(mail[0]).toContain('You can sign in once you have confirmed that this is your address');

        await server.anonymous.put(PATH, { token: await server.mailedToken(email) });
        expect((await server.anonymous.post(path, { email, password: PASSWORD })).status).toBe(201);
      },
    );
  });

  describe('GET /verify', () => {
    it('is a page that loads one script of ours, and has none of its own', async () => {
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

    it('has a script that posts the token of the fragment, and takes it out of the address bar', async () => {
      const { status, headers, body: script } = await context.server.anonymous.get('/verify.js');
      expect(status).toBe(200);
      expect(headers.get('content-type')).toBe('text/javascript; charset=utf-8');
      const posted: unknown[] = [];
      const replaced: unknown[] = [];
      const shown = { textContent: '' };
      runInNewContext(script, {
        document: { getElementById: () => shown },
        location: { hash: '#the-token', pathname: '/verify' },
        history: { replaceState: (...args: unknown[]) => replaced.push(args[2]) },
        fetch: (url: string, { method, body }: { method: string; body: string }) => {
          posted.push({ url, method, body: JSON.parse(body) });
          return Promise.resolve({ ok: true });
        },
      });
      await new Promise((resolve) => setImmediate(resolve));
      expect(posted).toEqual([{ url: PATH.slice(1), method: 'PUT', body: { token: 'the-token' } }]);
      expect(replaced).toEqual(['/verify']);
      expect(shown.textContent).toContain('Your address is confirmed');
    });
  });
});
