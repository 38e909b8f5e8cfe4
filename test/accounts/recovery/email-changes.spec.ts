import pg from 'pg';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { randomSecret } from '../../../src/platform/crypto/secret.js';
import { Barrier, meet, pastDeadlockCheck } from '../../support/barrier.js';
import type { Client } from '../../support/client.js';
import { signIn, signInIdOf, signIns } from '../../support/modes/any.js';
import { Person } from '../../support/person.js';
import { PASSWORD, useServer } from '../../support/server.js';

const PATH = '/v1/users/me/email';
const UNDO = '/v1/email-changes/undo';
const INVALID = { status: 400, problem: 'invalid-one-time-token' };
const ACCEPTED = { status: 202, body: { message: 'Check the mail of your new address to continue.' } };

let count = 0;
const newAddress = () => `moved-${(count += 1)}@example.com`;

describe('a change of the address', () => {
  const context = useServer();
  let ada: Person;
  let session: Client;
  beforeEach(async () => {
    ada = await context.server.person();
    session = await signIn(ada);
  });
  // What nobody expected is logged as an error: a deadlock, a violated constraint.
  let logged = 0;
  afterEach(async () => {
    await context.server.clock.reset();
    const entries = await context.server.entries();
    const errors = entries.slice(logged).filter(({ level }) => level === 'error');
    logged = entries.length;
    expect(errors).toEqual([]);
  });

  const request = (email: unknown, by: Client = session) => by.put(PATH, { email });
  const confirm = (token: string, newPassword?: string) =>
    context.server.anonymous.put('/v1/email-verifications', { token, ...(newPassword && { newPassword }) });
  const undo = (token: unknown) => context.server.anonymous.post(UNDO, { token });
  const emailOf = async ({ id }: Person): Promise<string> =>
    (await context.server.query('SELECT email FROM users WHERE id = $1', [id]))[0].email;
  const mailsTo = async (email: string) =>
    (await context.server.mails()).filter((mail) => mail.includes(`To: ${email}`));
  const statusOf = async (client: Client) => (await client.get('/v1/probes/principal')).status;
  const attempt = (email: string, password = PASSWORD) =>
    context.server.anonymous.post(signIns[0]!.path, { email, password, ...signIns[0]!.fields });
  const clientOf = (email: string, password = PASSWORD) =>
    signIn(new Person(context.server, '', email, password));
  /** Requests a change, and returns the token that confirms it. */
  const requested = async (email: string, by?: Client) => {
    expect(await request(email, by)).toMatchObject(ACCEPTED);
    return context.server.mailedToken(email);
  };
  /** Changes the address, and returns the token that undoes it. */
  const changed = async (to: string, person = ada, by?: Client) => {
    const from = await emailOf(person);
    expect(await confirm(await requested(to, by))).toMatchObject({ status: 204 });
    return context.server.mailedToken(from);
  };

  it('[V2.3.1] waits until the new address is confirmed', async () => {
    const email = newAddress();
    const token = await requested(email);
    expect((await mailsTo(email)).at(-1)).toContain(`${context.server.config.ISSUER}/verify#${token}\n`);
    expect(await emailOf(ada)).toBe(ada.email);
    expect(await confirm(token)).toMatchObject({ status: 204, body: undefined });
    expect(await emailOf(ada)).toBe(email);
    expect([(await attempt(ada.email)).status, (await attempt(email)).status]).toEqual([401, 201]);
    expect(await statusOf(session)).toBe(200);
  });

  it('is told to the old address, with a link that undoes it', async () => {
    const [before, email] = [ada.email, newAddress()];
    const token = await changed(email);
    const mail = (await mailsTo(before)).at(-1)!;
    expect(mail).toContain('The email address of your account was changed');
    expect(mail).toContain(`${context.server.config.ISSUER}/undo#${token}\n`);
    const other = await clientOf(email);
    expect(await undo(token)).toMatchObject({ status: 204, body: undefined });
    expect(await emailOf(ada)).toBe(before);
    expect([await statusOf(session), await statusOf(other)]).toEqual([401, 401]);
    expect([(await attempt(before)).status, (await attempt(email)).status]).toEqual([201, 401]);
  });

  it('that is undone is followed by a link to set a new password', async () => {
    const before = ada.email;
    await undo(await changed(newAddress()));
    expect((await mailsTo(before)).at(-1)).toContain('Set a new password here');
    const reset = {
      token: await context.server.mailedToken(before),
      newPassword: 'a new password of the owner',
    };
    expect((await context.server.anonymous.put('/v1/password-resets', reset)).status).toBe(204);
  });

  describe('to an address that another account has', () => {
    it('gets the same answer, and only the mail tells', async () => {
      const { email } = await context.server.person();
      const [free, taken] = [await request(newAddress()), await request(email)];
      expect({ ...taken.body }).toEqual(free.body);
      expect(taken.status).toBe(free.status);
      const mail = (await mailsTo(email)).at(-1)!;
      expect(mail).toContain('An account with this address already exists');
      expect(mail).not.toContain('#');
    });

    it('is refused if the address was taken before it was confirmed', async () => {
      const email = newAddress();
      const token = await requested(email);
      await context.server.anonymous.post('/v1/users', { email, password: PASSWORD });
      expect(await confirm(token)).toMatchObject(INVALID);
      expect(await emailOf(ada)).toBe(ada.email);
    });

    it('is given to one of two accounts that confirm it at once', async () => {
      const bob = await context.server.person();
      const email = newAddress();
      const tokens = [await requested(email), await requested(email, await signIn(bob))];
      const answers = await meet(
        context.server,
        { lock: 'SELECT 1 FROM users WHERE id = ANY($1::uuid[]) FOR UPDATE', parameters: [[ada.id, bob.id]] },
        tokens.map((token) => () => confirm(token)),
      );
      expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([204, 400]);
      const addresses = [await emailOf(ada), await emailOf(bob)];
      expect(addresses.filter((address) => address === email)).toHaveLength(1);
    });
  });

  describe('can no longer be confirmed', () => {
    const gone = async (token: string) => {
      expect(await confirm(token)).toMatchObject(INVALID);
      expect(await emailOf(ada)).toBe(ada.email);
    };

    it('after 24 hours', async () => {
      const token = await requested(newAddress());
      await context.server.clock.advance('24h');
      await gone(token);
    });

    it('if the sign-in that requested it was ended by a change of password elsewhere', async () => {
      const token = await requested(newAddress());
      const newPassword = 'a new password of the owner';
      const owner = await signIn(ada);
      await owner.put('/v1/users/me/password', { currentPassword: PASSWORD, newPassword });
      await gone(token);
    });

    it('if the sign-in that requested it changed the password since', async () => {
      const token = await requested(newAddress());
      const newPassword = 'a new password of the owner';
      const answer = await session.put('/v1/users/me/password', { currentPassword: PASSWORD, newPassword });
      expect(answer.status).toBe(200);
      await gone(token);
    });

    it.each(['expires_at', 'idle_expires_at'])(
      'if the sign-in that requested it has expired (%s)',
      async (column) => {
        const token = await requested(newAddress());
        await context.server.query(`UPDATE sign_ins SET ${column} = $2 WHERE id = $1`, [
          await signInIdOf(session),
          await context.server.clock.now(),
        ]);
        await gone(token);
      },
    );

    it('if the sign-in that requested it was ended by its person', async () => {
      const token = await requested(newAddress());
      await (await signIn(ada)).delete(`/v1/sessions/${await signInIdOf(session)}`);
      await gone(token);
    });

    it('if the password was reset', async () => {
      const token = await requested(newAddress());
      await context.server.anonymous.post('/v1/password-resets', { email: ada.email });
      const reset = await context.server.mailedToken(ada.email);
      const newPassword = 'a new password of the owner';
      await context.server.anonymous.put('/v1/password-resets', { token: reset, newPassword });
      await gone(token);
    });

    it('if the person was disabled', async () => {
      const token = await requested(newAddress());
      await context.server.query(`UPDATE users SET status = 'disabled' WHERE id = $1`, [ada.id]);
      await gone(token);
    });

    it('if another change was confirmed since', async () => {
      const token = await requested(newAddress());
      const other = newAddress();
      await changed(other);
      expect(await confirm(token)).toMatchObject(INVALID);
      expect(await emailOf(ada)).toBe(other);
    });

    it('a second time: it is already confirmed', async () => {
      const token = await requested(newAddress());
      await confirm(token);
      expect(await confirm(token)).toMatchObject({ status: 409, problem: 'already-confirmed' });
    });

    it('with a new password, which the link does not set', async () => {
      const token = await requested(newAddress());
      const answer = await confirm(token, 'a new password of somebody');
      expect(answer).toMatchObject({ status: 400, problem: 'validation-failed' });
      expect(answer.body.errors).toMatchObject([{ pointer: '/newPassword' }]);
      expect((await confirm(token)).status).toBe(204);
    });

    it('with the token that undoes it, nor undone with the token that confirms it', async () => {
      const email = newAddress();
      const token = await requested(email);
      expect(await undo(token)).toMatchObject(INVALID);
      await confirm(token);
      expect(await undo(token)).toMatchObject(INVALID);
      expect(await confirm(await context.server.mailedToken(ada.email))).toMatchObject(INVALID);
      expect(await emailOf(ada)).toBe(email);
    });
  });

  describe('makes useless what was mailed to the address before:', () => {
    it('a link to set a new password', async () => {
      await context.server.anonymous.post('/v1/password-resets', { email: ada.email });
      const token = await context.server.mailedToken(ada.email);
      await changed(newAddress());
      const body = { token, newPassword: 'a password of a thief' };
      expect(await context.server.anonymous.put('/v1/password-resets', body)).toMatchObject(INVALID);
    });

    it('the link of a registration', async () => {
      const { server } = context;
      const [wrong, right] = [newAddress(), newAddress()];
      await server.anonymous.post('/v1/users', { email: wrong, password: PASSWORD });
      const token = await server.mailedToken(wrong);
      await server.anonymous.post('/v1/users', { email: wrong, password: 'the password of another' });
      const later = await server.mailedToken(wrong);
      const mine = await clientOf(wrong);
      expect((await confirm(await requested(right, mine))).status).toBe(204);
      for (const link of [token, later]) expect(await confirm(link)).toMatchObject(INVALID);
      expect((await mine.get('/v1/users/me')).body).toMatchObject({ email: right, emailVerified: true });
      // The reader of the wrong address may be a stranger, who must not get the account by undoing the change.
      expect((await mailsTo(wrong)).filter((mail) => mail.includes('/undo#'))).toEqual([]);
    });
  });

  describe('is undone', () => {
    it('for 72 hours', async () => {
      const [soon, late] = [await context.server.person(), await context.server.person()];
      const tokens = [
        await changed(newAddress(), soon, await signIn(soon)),
        await changed(newAddress(), late, await signIn(late)),
      ];
      await context.server.clock.advance('71h');
      expect((await undo(tokens[0])).status).toBe(204);
      await context.server.clock.advance('1h');
      expect(await undo(tokens[1])).toMatchObject(INVALID);
      expect([await emailOf(soon), (await emailOf(late)) === late.email]).toEqual([soon.email, false]);
    });

    it('once, also by two requests at the same moment', async () => {
      const token = await changed(newAddress());
      const answers = await meet(
        context.server,
        { lock: 'SELECT 1 FROM users WHERE id = $1 FOR UPDATE', parameters: [ada.id] },
        [() => undo(token), () => undo(token)],
      );
      expect(answers.map(({ status }) => status)).toEqual([204, 400]);
      expect(await undo(token)).toMatchObject(INVALID);
    });

    it('with all that came after it: a second change, its link, and a change that waits', async () => {
      const [second, third, fourth] = [newAddress(), newAddress(), newAddress()];
      const first = await changed(second);
      const ofThief = await changed(third);
      const waiting = await requested(fourth);
      expect((await undo(first)).status).toBe(204);
      expect(await emailOf(ada)).toBe(ada.email);
      for (const answer of [await undo(ofThief), await confirm(waiting)])
        expect(answer).toMatchObject(INVALID);
      expect(await emailOf(ada)).toBe(ada.email);
    });

    it('one after the other', async () => {
      const second = newAddress();
      const first = await changed(second);
      const last = await changed(newAddress());
      await undo(last);
      expect(await emailOf(ada)).toBe(second);
      await undo(first);
      expect(await emailOf(ada)).toBe(ada.email);
    });

    it('although a thief mailed a link to set a new password to the new address', async () => {
      const email = newAddress();
      const token = await changed(email);
      await context.server.anonymous.post('/v1/password-resets', { email });
      const reset = await context.server.mailedToken(email);
      await undo(token);
      const body = { token: reset, newPassword: 'a password of a thief' };
      expect(await context.server.anonymous.put('/v1/password-resets', body)).toMatchObject(INVALID);
    });

    it('although somebody registered the old address meanwhile, without confirming it', async () => {
      const { server } = context;
      const token = await changed(newAddress());
      await server.anonymous.post('/v1/users', { email: ada.email, password: 'the password of another' });
      const squatter = await clientOf(ada.email, 'the password of another');
      expect(await statusOf(squatter)).toBe(200);
      expect((await undo(token)).status).toBe(204);
      expect(await emailOf(ada)).toBe(ada.email);
      expect(await statusOf(squatter)).toBe(401);
    });

    it('although the removal of that registration meets another transaction in a deadlock', async () => {
      const { server } = context;
      const token = await changed(newAddress());
      await server.anonymous.post('/v1/users', { email: ada.email, password: 'the password of another' });
      const squatter = await clientOf(ada.email, 'the password of another');
      const signInId = await signInIdOf(squatter);
      const [{ id }] = await server.query('SELECT id FROM users WHERE email = $1', [ada.email]);
      const url = server.config.DATABASE_URL!;
      const other = new pg.Client({ connectionString: url });
      await other.connect();
      const barrier = await Barrier.hold(url, 'SELECT 1 FROM users WHERE id = $1 FOR UPDATE', [id]);
      await other.query('BEGIN');
      await other.query('SELECT 1 FROM sign_ins WHERE id = $1 FOR UPDATE', [signInId]);
      // The undo holds the row of its user, and waits for the row of the other one.
      const answer = undo(token);
      await barrier.waiting(1);
      const waits = other.query('SELECT 1 FROM users WHERE id = $1 FOR UPDATE', [ada.id]);
      await barrier.waiting(2);
      // From then on only the undo can find a deadlock.
      await pastDeadlockCheck(server, other);
      await barrier.release();
      // The undo gives way.
      await waits;
      await other.query('COMMIT');
      await other.end();
      expect((await answer).status).toBe(204);
      const [{ deadlocks }] = await server.query(
        'SELECT deadlocks::int FROM pg_stat_database WHERE datname = current_database()',
      );
      expect([deadlocks > 0, await emailOf(ada)]).toEqual([true, ada.email]);
    });

    it('not while another account has confirmed the old address, and the link still works', async () => {
      const { server } = context;
      const token = await changed(newAddress());
      await server.person({ email: ada.email });
      expect(await undo(token)).toMatchObject({ status: 409, problem: 'address-taken' });
      expect(await statusOf(session)).toBe(200);
      const other = newAddress();
      await server.query('UPDATE users SET email = $2 WHERE email = $1', [ada.email, other]);
      expect((await undo(token)).status).toBe(204);
    });

    it.each([
      ['unknown', randomSecret()],
      ['empty', ''],
      ['malformed', 'x'.repeat(43)],
    ])('not with a token that is %s', async (_what, token) => {
      expect(await undo(token)).toMatchObject(INVALID);
    });

    it.each([[{}], [{ token: 42 }], [{ token: 'x', email: 'ada@example.com' }]])(
      'not with the body %j',
      async (body) => {
        const answer = await context.server.anonymous.post(UNDO, body);
        expect(answer).toMatchObject({ status: 400, problem: 'validation-failed' });
      },
    );
  });

  describe('PUT /v1/users/me/email', () => {
    it.each([[{}], [{ email: 'nobody' }], [{ email: 42 }], [{ email: 'a@example.com', name: 'Ada' }]])(
      'refuses %j',
      async (body) => {
        expect(await session.put(PATH, body)).toMatchObject({ status: 400, problem: 'validation-failed' });
      },
    );

    it('refuses the address that the account has', async () => {
      const answer = await request(ada.email.toUpperCase());
      expect(answer.body.errors).toEqual([{ pointer: '/email', detail: 'must be another address' }]);
    });

    it('[V7.5.1] refuses an old sign-in', async () => {
      await context.server.clock.advance('11m');
      expect(await request(newAddress())).toMatchObject({
        status: 401,
        problem: 'insufficient-user-authentication',
      });
    });

    it('refuses a sign-in that ends while the request waits', async () => {
      const email = newAddress();
      const [answer, ended] = await meet(
        context.server,
        { lock: 'SELECT 1 FROM sign_ins WHERE id = $1 FOR UPDATE', parameters: [await signInIdOf(session)] },
        [() => session.delete('/v1/sessions/current'), () => request(email)],
      );
      expect([answer!.status, ended!.status]).toEqual([204, 401]);
      expect(await mailsTo(email)).toEqual([]);
    });

    it('takes 5 requests of a person in an hour', async () => {
      for (let i = 0; i < 5; i += 1) expect((await request(newAddress())).status).toBe(202);
      expect(await request(newAddress())).toMatchObject({ status: 429, problem: 'rate-limited' });
    });
  });

  it('stores hashes only, and is forgotten after 14 days', async () => {
    const token = await changed(newAddress());
    const rows = `SELECT count(*)::int AS n FROM email_change_links WHERE token_hash = sha256($1::text::bytea)`;
    expect((await context.server.query(rows, [token]))[0].n).toBe(1);
    await context.server.clock.advance('15d');
    await context.server.runHousekeeping();
    expect(await context.server.query('SELECT 1 FROM email_changes')).toEqual([]);
  });
});
