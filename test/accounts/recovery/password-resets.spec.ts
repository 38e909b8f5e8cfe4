import { afterEach, describe, expect, it } from '@jest/globals';
import { randomSecret } from '../../../src/platform/crypto/secret.js';
import { ANSWER_AFTER_MS } from '../../../src/platform/lookup/fixed-time.js';
import { meet } from '../../support/barrier.js';
import type { Answer } from '../../support/client.js';
import { from, guesses, newAddress, signIn as signInFrom } from '../../support/guesses.js';
import { administer, signIn, signIns } from '../../support/modes/any.js';
import { Person } from '../../support/person.js';
import { PASSWORD, useServer } from '../../support/server.js';

const PATH = '/v1/password-resets';
const NEW_PASSWORD = 'a new password of the owner';
const INVALID = { status: 400, problem: 'invalid-one-time-token' };
const ACCEPTED = { status: 202, body: { message: 'If this address has an account, a mail was sent to it.' } };

describe('a reset of the password', () => {
  const context = useServer();
  afterEach(() => context.server.clock.reset());

  const request = (email: unknown) => context.server.anonymous.post(PATH, { email });
  const reset = (body: object) => context.server.anonymous.put(PATH, body);
  const linkTo = async ({ email }: { email: string }) => {
    expect(await request(email)).toMatchObject(ACCEPTED);
    return context.server.mailedToken(email);
  };
  const attempt = (email: string, password: string) =>
    context.server.anonymous.post(signIns[0]!.path, { email, password, ...signIns[0]!.fields });
  const statuses = async ({ email }: { email: string }) =>
    Promise.all([PASSWORD, NEW_PASSWORD].map(async (password) => (await attempt(email, password)).status));
  const statusOf = async (client: { get(path: string): Promise<Answer> }) =>
    (await client.get('/v1/probes/principal')).status;
  const mailsTo = async ({ email }: { email: string }) =>
    (await context.server.mails()).filter((mail) => mail.includes(`To: ${email}`));
  const countOf = async (table: string) =>
    (await context.server.query(`SELECT count(*)::int AS n FROM ${table}`))[0].n;

  it('sets a new password with the token of the link, which stands in the fragment', async () => {
    const ada = await context.server.person();
    const token = await linkTo(ada);
    expect((await mailsTo(ada)).at(-1)).toContain(`\n${context.server.config.ISSUER}/reset#${token}\n`);
    expect(await statuses(ada)).toEqual([201, 401]);
    expect(await reset({ token, newPassword: NEW_PASSWORD })).toMatchObject({ status: 204, body: undefined });
    expect(await statuses(ada)).toEqual([401, 201]);
  });

  it('takes an earlier link after a later one was mailed', async () => {
    const ada = await context.server.person();
    const token = await linkTo(ada);
    await linkTo(ada);
    expect((await reset({ token, newPassword: NEW_PASSWORD })).status).toBe(204);
  });

  it('ends every sign-in, and signs nobody in', async () => {
    const ada = await context.server.person();
    const clients = [await signIn(ada), await signIn(ada)];
    const answer = await reset({ token: await linkTo(ada), newPassword: NEW_PASSWORD });
    expect(answer).toMatchObject({ status: 204, cookieNames: ['__Host-device'] });
    for (const client of clients) expect(await statusOf(client)).toBe(401);
    expect((await mailsTo(ada)).at(-1)).toContain('Your password was reset');
  });

  describe('on an account whose address was never confirmed', () => {
    it('confirms the address, and ends the sign-ins of whoever used the account', async () => {
      const { server } = context;
      const email = 'squatted@example.com';
      await server.anonymous.post('/v1/users', { email, password: PASSWORD });
      const confirmation = await server.mailedToken(email);
      const stranger = await signIn(new Person(server, '', email, PASSWORD));
      expect(await statusOf(stranger)).toBe(200);

      expect((await reset({ token: await linkTo({ email }), newPassword: NEW_PASSWORD })).status).toBe(204);
      expect(await statusOf(stranger)).toBe(401);
      const owner = await signIn(new Person(server, '', email, NEW_PASSWORD));
      expect((await owner.get('/v1/users/me')).body.emailVerified).toBe(true);
      // The link of the registration, which would set its password again, is void.
      const answer = await server.anonymous.put('/v1/email-verifications', { token: confirmation });
      expect(answer).toMatchObject(INVALID);
    });
  });

  describe('refuses', () => {
    const NOT_RESET = [201, 401];

    it('a link that was used', async () => {
      const ada = await context.server.person();
      const token = await linkTo(ada);
      await reset({ token, newPassword: NEW_PASSWORD });
      expect(await reset({ token, newPassword: 'a password of a thief' })).toMatchObject(INVALID);
      expect(await statuses(ada)).toEqual([401, 201]);
    });

    it('the second of two requests with one link, in the middle of the first', async () => {
      const ada = await context.server.person();
      const token = await linkTo(ada);
      const answers = await meet(
        context.server,
        { lock: 'SELECT 1 FROM users WHERE id = $1 FOR UPDATE', parameters: [ada.id] },
        [NEW_PASSWORD, 'a password of a thief'].map((newPassword) => () => reset({ token, newPassword })),
      );
      expect(answers.map(({ status }) => status)).toEqual([204, 400]);
      expect(await statuses(ada)).toEqual([401, 201]);
    });

    it('an earlier link after a later one was used', async () => {
      const ada = await context.server.person();
      const earlier = await linkTo(ada);
      await reset({ token: await linkTo(ada), newPassword: NEW_PASSWORD });
      expect(await reset({ token: earlier, newPassword: 'a password of a thief' })).toMatchObject(INVALID);
      expect(await statuses(ada)).toEqual([401, 201]);
    });

    describe('a link that was mailed before a change of the password', () => {
      const PASSWORD_OF_THIEF = 'a password of a thief';
      const change = async (ada: Person) => {
        const client = await signIn(ada);
        const body = { currentPassword: PASSWORD, newPassword: NEW_PASSWORD };
        return () => client.put('/v1/users/me/password', body);
      };

      it('earlier', async () => {
        const ada = await context.server.person();
        const token = await linkTo(ada);
        expect((await (await change(ada))()).status).toBe(200);
        expect(await reset({ token, newPassword: PASSWORD_OF_THIEF })).toMatchObject(INVALID);
        expect(await statuses(ada)).toEqual([401, 201]);
      });

      it('in the middle of the reset', async () => {
        const ada = await context.server.person();
        const token = await linkTo(ada);
        const answers = await meet(
          context.server,
          { lock: 'SELECT 1 FROM users WHERE id = $1 FOR UPDATE', parameters: [ada.id] },
          [await change(ada), () => reset({ token, newPassword: PASSWORD_OF_THIEF })],
        );
        expect(answers.map(({ status }) => status)).toEqual([200, 400]);
        expect(await statuses(ada)).toEqual([401, 201]);
      });
    });

    it('a link after 30 minutes, and takes it until then', async () => {
      const [ada, bob] = [await context.server.person(), await context.server.person()];
      const tokens = [await linkTo(ada), await linkTo(bob)];
      await context.server.clock.advance('29m');
      expect((await reset({ token: tokens[0], newPassword: NEW_PASSWORD })).status).toBe(204);
      await context.server.clock.advance('1m');
      expect(await reset({ token: tokens[1], newPassword: NEW_PASSWORD })).toMatchObject(INVALID);
      await context.server.clock.reset();
      expect(await statuses(bob)).toEqual(NOT_RESET);
    });

    it('a link of a person who was disabled', async () => {
      const ada = await context.server.person();
      const token = await linkTo(ada);
      const admin = await administer(await context.server.administrator());
      await admin.put(`/v1/admin/users/${ada.id}/status`, { status: 'disabled' });
      expect(await reset({ token, newPassword: NEW_PASSWORD })).toMatchObject(INVALID);
      await admin.put(`/v1/admin/users/${ada.id}/status`, { status: 'active' });
      expect(await statuses(ada)).toEqual(NOT_RESET);
    });

    it('a token of another purpose', async () => {
      const email = 'unconfirmed@example.com';
      await context.server.anonymous.post('/v1/users', { email, password: PASSWORD });
      const token = await context.server.mailedToken(email);
      expect(await reset({ token, newPassword: NEW_PASSWORD })).toMatchObject(INVALID);
      expect(await statuses({ email })).toEqual(NOT_RESET);
    });

    it.each([
      ['unknown', () => randomSecret()],
      ['empty', () => ''],
      ['shortened', (token: string) => token.slice(0, -1)],
      ['padded', (token: string) => `${token}=`],
      ['followed by a NUL', (token: string) => `${token}\0`],
    ])('a token that is %s', async (_what, make) => {
      const token = await linkTo(await context.server.person());
      const answer = await reset({ token: make(token), newPassword: NEW_PASSWORD });
      expect(answer).toMatchObject(INVALID);
    });

    it('a password that is not accepted, and the link still works', async () => {
      const ada = await context.server.person();
      const token = await linkTo(ada);
      for (const newPassword of ['short', 'password1']) {
        const answer = await reset({ token, newPassword });
        expect(answer).toMatchObject({ status: 400, problem: 'validation-failed' });
        expect(answer.body.errors).toMatchObject([{ pointer: '/newPassword' }]);
      }
      expect((await reset({ token, newPassword: NEW_PASSWORD })).status).toBe(204);
    });

    it.each([
      ['no token', { newPassword: NEW_PASSWORD }, '/token'],
      ['no password', { token: 'x' }, '/newPassword'],
      ['a number', { token: 42, newPassword: NEW_PASSWORD }, '/token'],
      ['a text', { token: 'x', newPassword: NEW_PASSWORD, revokeApiKeys: 'yes' }, '/revokeApiKeys'],
      ['an address', { token: 'x', newPassword: NEW_PASSWORD, email: 'ada@example.com' }, '/email'],
    ])('%s where another field is needed', async (_what, body, pointer) => {
      const answer = await reset(body);
      expect(answer).toMatchObject({ status: 400, problem: 'validation-failed' });
      expect(answer.body.errors).toMatchObject([{ pointer }]);
    });
  });

  describe('POST /v1/password-resets', () => {
    const visible = ({ status, body, headers, cookies }: Answer) => ({
      status,
      body,
      cookies,
      headers: [...headers]
        .filter(([name]) => !['x-request-id', 'date', 'ratelimit'].includes(name))
        .toSorted(([a], [b]) => (a < b ? -1 : 1)),
    });

    it('[V6.3.8] gives the same answer after the same time for every address', async () => {
      const { server } = context;
      const disabled = await server.person();
      await server.query(`UPDATE users SET status = 'disabled' WHERE id = $1`, [disabled.id]);
      const known = await server.person();
      const answers: Answer[] = [];
      for (const email of ['nobody@example.com', known.email, disabled.email]) {
        const started = performance.now();
        answers.push(await request(email));
        expect(performance.now() - started).toBeGreaterThan(ANSWER_AFTER_MS - 2);
      }
      expect(new Set(answers.map((answer) => JSON.stringify(visible(answer)))).size).toBe(1);
      expect(await mailsTo(known)).toHaveLength(1);
      expect([await mailsTo(disabled), await mailsTo({ email: 'nobody@example.com' })]).toEqual([[], []]);
    });

    /** Nothing claims a mail while `work` runs. */
    const whileMailsWait = async <T>(work: () => Promise<T>): Promise<T> => {
      await context.server.query(
        `CREATE OR REPLACE FUNCTION skip() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
         CREATE TRIGGER held BEFORE UPDATE ON queued_mails FOR EACH ROW EXECUTE FUNCTION skip()`,
      );
      try {
        return await work();
      } finally {
        await context.server.query('DROP TRIGGER held ON queued_mails');
      }
    };

    it('writes the same to the database for every address', async () => {
      const { server } = context;
      const { email } = await server.person();
      const rows = await whileMailsWait(async () => {
        for (const one of [email, 'nobody@example.com']) await request(one);
        return server.query('SELECT recipient, kind, about, text FROM queued_mails ORDER BY id');
      });
      const row = { kind: 'password-reset', about: null, text: null };
      expect(rows).toEqual([
        { ...row, recipient: email },
        { ...row, recipient: 'nobody@example.com' },
      ]);
    });

    it('mails no link that was requested 30 minutes ago', async () => {
      const { server } = context;
      const [late, soon] = [await server.person(), await server.person()];
      await whileMailsWait(async () => {
        await request(late.email);
        await server.clock.advance('15m');
        await request(soon.email);
        await server.clock.advance('15m');
      });
      expect(await mailsTo(soon)).toHaveLength(1);
      expect(await mailsTo(late)).toEqual([]);
      expect(await server.query('SELECT 1 FROM queued_mails')).toEqual([]);
    });

    it('mails at most 5 links to one address in an hour, and answers the same past that', async () => {
      const ada = await context.server.person();
      const answers = await Promise.all(Array.from({ length: 8 }, () => request(ada.email.toUpperCase())));
      expect(new Set(answers.map((answer) => JSON.stringify(visible(answer)))).size).toBe(1);
      expect(await mailsTo(ada)).toHaveLength(5);
    });

    it('limits how often one client can ask', async () => {
      const { headers } = await request('nobody@example.com');
      expect(headers.get('ratelimit-policy')).toBe('"password-resets";q=300;w=600');
    });

    it.each([[{}], [{ email: 'nobody' }], [{ email: 42 }], [{ email: 'ada@example.com', token: 'x' }]])(
      'refuses %j',
      async (body) => {
        const answer = await context.server.anonymous.post(PATH, body);
        expect(answer).toMatchObject({ status: 400, problem: 'validation-failed' });
      },
    );
  });

  it('stores the SHA-256 of the token only, and deletes links that have expired', async () => {
    const { server } = context;
    const token = await linkTo(await server.person());
    const [row] = await server.query(
      `SELECT count(*)::int AS n FROM password_resets WHERE token_hash = sha256($1::text::bytea)`,
      [token],
    );
    expect(row.n).toBe(1);
    await server.clock.advance('2h');
    await server.runHousekeeping();
    expect(await countOf('password_resets')).toBe(0);
  });
});

describe('a reset while strangers block the account', () => {
  const context = useServer({ env: { TRUSTED_PROXIES: 'loopback' } });

  it('lets the owner sign in at once, from the device and network of the reset', async () => {
    const client = context.server.anonymous;
    const { email } = await context.server.person();
    await guesses(client, 11, { email });
    await client.post(PATH, { email });
    const [address, password] = [newAddress(), NEW_PASSWORD];
    const body = { token: await context.server.mailedToken(email), newPassword: password };
    const { status, cookies } = await from(client, address).put(PATH, body);
    expect(status).toBe(204);
    const device = cookies['__Host-device']!;
    expect((await signInFrom(client, { email, password })).status).toBe(429);
    expect((await signInFrom(client, { email, password, address })).status).toBe(201);
    expect((await signInFrom(client, { email, password, device })).status).toBe(201);
  });
});
