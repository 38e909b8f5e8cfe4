import { describe, expect, it } from '@jest/globals';
import type { Client } from '../../support/client.js';
import { openLinkPage } from '../../support/link-page.js';
import { newAddress } from '../../support/guesses.js';
import { type SignInKind, signIns } from '../../support/modes/any.js';
// room: tokens
import { tokens } from '../../support/modes/any.js';
// /room
// room: sessions
import { SessionClient } from '../../support/modes/session.js';
import { enrolTotp, freshCode } from '../../support/second-factors.js';
// /room
import type { Person } from '../../support/person.js';
import { useServer } from '../../support/server.js';
import { until } from '../../support/until.js';

const FIREFOX = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0';
const CHROME =
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36';
const WRONG = 'not this password';
const INVALID = { status: 401, problem: 'invalid-credential' };

interface Place {
  readonly ip?: string;
  readonly userAgent?: string;
  readonly device?: string | undefined;
}

/** A client somewhere. */
const from = (client: Client, { ip = '192.0.2.7', userAgent = FIREFOX, device }: Place): Client =>
  client.with({
    'X-Forwarded-For': ip,
    'User-Agent': userAgent,
    ...(device !== undefined && { Cookie: `__Host-device=${device}` }),
  });

const ELSEWHERE: Place = { ip: '198.51.100.9', userAgent: CHROME };

describe('anomalies', () => {
  const context = useServer({ env: { TRUSTED_PROXIES: 'loopback', ANOMALY_SCORE: '60' } });
  const [kind] = signIns as [SignInKind];

  const signIn = (person: Person, place: Place = {}, by = kind, password = person.password) =>
    from(person.anonymous, place).post(by.path, { email: person.email, password, ...by.fields });
  const prove = (person: Person, proof: object, place: Place = ELSEWHERE, by = kind) =>
    from(person.anonymous, place).post(by.path, proof);

  /** A person who has signed in once, at home. */
  async function person(): Promise<Person> {
    const person = await context.server.person();
    expect((await signIn(person)).status).toBe(201);
    return person;
  }
  /** Somebody guesses, and finds the password: 80 points. */
  async function guessed(person: Person, by = kind) {
    for (let i = 0; i < 5; i += 1) await signIn(person, ELSEWHERE, by, WRONG);
    return signIn(person, ELSEWHERE, by);
  }
  const mailsTo = async ({ email }: Person, subject: string) =>
    (await context.server.mails()).filter(
      (mail) => mail.includes(`To: ${email}`) && mail.includes(`Subject: ${subject}`),
    );
  const alarmsOf = async (person: Person) => (await mailsTo(person, 'Was this you?')).length;
  const recorded = ({ id }: Person) =>
    context.server.query('SELECT occasion, signals, score FROM anomalies WHERE user_id = $1 ORDER BY id', [
      id,
    ]);
  async function codeOf(person: Person): Promise<string> {
    const mail = (await mailsTo(person, 'Your sign-in code')).at(-1);
    const code = /^ {2}(\d{8})\r?$/m.exec(mail!)![1]!;
    context.server.secrets.keep(code);
    return code;
  }

  describe('a sign-in', () => {
    it('from the usual place is not recorded', async () => {
      const ada = await person();
      await signIn(ada);
      expect([await recorded(ada), await alarmsOf(ada)]).toEqual([[], 0]);
    });

    it('[V6.3.5] from a new device is recorded and mailed, with a link', async () => {
      const ada = await person();
      expect((await signIn(ada, { userAgent: CHROME })).status).toBe(201);
      expect(await recorded(ada)).toEqual([{ occasion: 'sign-in', signals: ['new-device'], score: 30 }]);
      const [mail] = await mailsTo(ada, 'Was this you?');
      expect(mail).toContain('Chrome on Windows');
      expect(mail).toContain('192.0.2.7');
      expect(mail).toMatch(/\/not-me#[\w-]{43}/);
    });

    it('from a known device in a new network is recorded, and not mailed', async () => {
      const ada = await person();
      const device = (await signIn(ada)).cookies['__Host-device'];
      expect((await signIn(ada, { ...ELSEWHERE, device })).status).toBe(201);
      expect(await recorded(ada)).toEqual([{ occasion: 'sign-in', signals: ['new-network'], score: 20 }]);
      expect(await alarmsOf(ada)).toBe(0);
    });

    it('is one of at most ten that are mailed in a day', async () => {
      const ada = await person();
      for (let i = 0; i < 12; i += 1)
        expect((await signIn(ada, { ...ELSEWHERE, ip: `203.0.${i}.1` })).status).toBe(201);
      expect([(await recorded(ada)).length, await alarmsOf(ada)]).toEqual([12, 10]);
    });

    it('names no device in the mail that a client made up', async () => {
      const ada = await person();
      await signIn(ada, { userAgent: 'See http://evil.example.com/now for more/1 (x)' });
      const [mail] = await mailsTo(ada, 'Was this you?');
      expect(mail).toContain('Device:  unknown');
      expect(mail).not.toContain('evil');
    });
  });

  describe('many failures before a success', () => {
    it('are forgotten after it', async () => {
      const ada = await person();
      for (let i = 0; i < 5; i += 1) await signIn(ada, {}, kind, WRONG);
      await signIn(ada);
      await signIn(ada);
      expect(await recorded(ada)).toEqual([{ occasion: 'sign-in', signals: ['many-failures'], score: 30 }]);
    });

    it('are forgotten after a day', async () => {
      const ada = await person();
      for (let i = 0; i < 4; i += 1) await signIn(ada, {}, kind, WRONG);
      await until(async () => {
        const [row] = await context.server.query('SELECT failures FROM sign_in_failures WHERE user_id = $1', [
          ada.id,
        ]);
        return row?.failures === 4;
      });
      await context.server.query(
        `UPDATE sign_in_failures SET last_at = last_at - interval '25 hours' WHERE user_id = $1`,
        [ada.id],
      );
      await signIn(ada, {}, kind, WRONG);
      await signIn(ada);
      expect(await recorded(ada)).toEqual([]);
    });
  });

  describe('a sign-in above ANOMALY_SCORE', () => {
    it.each(signIns)('[V8.2.4] needs a code by mail ($mode)', async (by) => {
      const ada = await person();
      const demanded = await guessed(ada, by);
      expect(demanded).toMatchObject({
        status: 401,
        problem: 'mfa-required',
        body: { methods: ['emailCode'] },
        cookieNames: [],
      });
      const { mfaToken } = demanded.body;
      const emailCode = await codeOf(ada);
      const wrong = emailCode === '00000000' ? '00000001' : '00000000';
      expect(await prove(ada, { mfaToken, emailCode: wrong }, ELSEWHERE, by)).toMatchObject(INVALID);
      const answer = await prove(ada, { mfaToken, emailCode }, ELSEWHERE, by);
      expect(answer.status).toBe(201);
      const client = by.from(ada.url, ada.secrets, answer);
      expect((await client.get('/v1/sessions/current')).status).toBe(200);
      expect((await client.get('/v1/probes/principal')).body.amr).toEqual(['pwd', 'otp']);
      expect(await prove(ada, { mfaToken, emailCode }, ELSEWHERE, by)).toMatchObject(INVALID);
      expect((await recorded(ada)).at(-1)).toMatchObject({ score: 80 });
    });

    it('[V6.3.6] is not a second factor after the code', async () => {
      const ada = await person();
      const { mfaToken } = (await guessed(ada)).body;
      const answer = await prove(ada, { mfaToken, emailCode: await codeOf(ada) });
      const client = kind.from(ada.url, ada.secrets, answer);
      const { signInId } = { signInId: (await client.get('/v1/sessions/current')).body.id };
      const [{ factor }] = await context.server.query(
        'SELECT second_factor_at AS factor FROM sign_ins WHERE id = $1',
        [signInId],
      );
      expect(factor).toBeNull();
    });

    it('[V6.6.2] refuses the code of another person', async () => {
      const [ada, grace] = [await person(), await person()];
      const { mfaToken } = (await guessed(ada)).body;
      await guessed(grace);
      await codeOf(ada);
      expect(await prove(ada, { mfaToken, emailCode: await codeOf(grace) })).toMatchObject(INVALID);
    });

    it('[V6.5.5] refuses an expired code, and a code that a newer one replaced', async () => {
      const ada = await person();
      await guessed(ada);
      const first = await codeOf(ada);
      const { mfaToken } = (await signIn(ada, ELSEWHERE)).body;
      const second = await codeOf(ada);
      expect(await prove(ada, { mfaToken, emailCode: first })).toMatchObject(INVALID);
      await context.server.query(`UPDATE sign_in_codes SET expires_at = now() WHERE user_id = $1`, [ada.id]);
      expect(await prove(ada, { mfaToken, emailCode: second })).toMatchObject(INVALID);
    });

    it('[V6.6.3] allows five attempts', async () => {
      const ada = await person();
      const { mfaToken } = (await guessed(ada)).body;
      const emailCode = await codeOf(ada);
      const wrong = emailCode === '00000000' ? '00000001' : '00000000';
      for (let i = 0; i < 5; i += 1) await prove(ada, { mfaToken, emailCode: wrong });
      expect(await prove(ada, { mfaToken, emailCode })).toMatchObject(INVALID);
    });

    it('[V6.6.3] mails at most ten codes in an hour', async () => {
      const ada = await person();
      await guessed(ada);
      for (let i = 0; i < 9; i += 1) expect((await signIn(ada, ELSEWHERE)).status).toBe(401);
      expect(await signIn(ada, ELSEWHERE)).toMatchObject({ status: 429, problem: 'rate-limited' });
      expect(await mailsTo(ada, 'Your sign-in code')).toHaveLength(10);
    });

    // room: sessions
    it('needs the second factor of a person who has one, and no code by mail', async () => {
      const ada = await context.server.person();
      const session = SessionClient.from(ada.url, ada.secrets, await signIn(ada));
      const { app } = await enrolTotp(context.server, session);
      const demanded = await guessed(ada);
      expect(demanded.body.methods).toEqual(['totp', 'recoveryCode']);
      const { mfaToken } = demanded.body;
      expect(await mailsTo(ada, 'Your sign-in code')).toEqual([]);
      expect(await prove(ada, { mfaToken, emailCode: '12345678' })).toMatchObject(INVALID);
      expect((await prove(ada, { mfaToken, totp: await freshCode(context.server, app) })).status).toBe(201);
    });
    // /room

    it('[V6.5.4] refuses a malformed code, and a code without the token', async () => {
      const ada = await person();
      for (const proof of [{ mfaToken: 'x', emailCode: '1234567' }, { emailCode: '12345678' }])
        expect(await prove(ada, proof)).toMatchObject({ status: 400, problem: 'validation-failed' });
    });
  });

  describe('the link of the mail', () => {
    it('ends the sign-in when the button is pressed, forgets its source and starts a reset', async () => {
      const ada = await person();
      // Every request comes from there: one from elsewhere would raise another alarm.
      const stranger = from(kind.from(ada.url, ada.secrets, await signIn(ada, ELSEWHERE)), ELSEWHERE);
      const page = await openLinkPage(
        context.server.url,
        '/not-me',
        `#${await context.server.mailedToken(ada.email)}`,
      );
      expect(page.requests).toEqual([]);
      expect((await stranger.get('/v1/sessions/current')).status).toBe(200);
      expect(await page.press()).toBe('The sign-in has ended. Check your email to set a new password.');
      expect(await stranger.get('/v1/sessions/current')).toMatchObject(INVALID);
      expect(await mailsTo(ada, 'Set a new password')).toHaveLength(1);
      const known = await context.server.query('SELECT 1 FROM known_sources WHERE user_id = $1', [ada.id]);
      expect(known).toEqual([]);
      // The place stays unknown.
      await signIn(ada, ELSEWHERE);
      expect(await alarmsOf(ada)).toBe(2);
    });

    it('works once, and for 72 hours', async () => {
      const report = (token: string) => context.server.anonymous.post('/v1/anomaly-reports', { token });
      const LINK = { status: 400, problem: 'invalid-one-time-token' };
      const ada = await person();
      await signIn(ada, ELSEWHERE);
      const token = await context.server.mailedToken(ada.email);
      await context.server.query(`UPDATE anomaly_links SET expires_at = expires_at - interval '72 hours'`);
      expect(await report(token)).toMatchObject(LINK);
      await context.server.query(`UPDATE anomaly_links SET expires_at = expires_at + interval '72 hours'`);
      const answers = await Promise.all([report(token), report(token)]);
      expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([204, 400]);
      expect(await report('x')).toMatchObject(LINK);
    });
  });

  describe('a sign-in that is used', () => {
    const elsewhere = (client: Client) =>
      client.with({ 'User-Agent': CHROME, 'X-Forwarded-For': '198.51.100.9' });
    const atHome = (client: Client) =>
      client.with({ 'User-Agent': FIREFOX, 'X-Forwarded-For': '192.0.2.99' });

    // room: sessions
    it('by cookie from elsewhere is recorded and mailed, once', async () => {
      const ada = await context.server.person();
      const [session] = signIns.filter(({ carrier }) => carrier === 'cookie') as [SignInKind];
      const client = session.from(ada.url, ada.secrets, await signIn(ada, {}, session));
      await atHome(client).get('/v1/probes/principal');
      for (let i = 0; i < 2; i += 1) {
        await elsewhere(client).get('/v1/probes/principal');
        await until(async () => (await recorded(ada)).length > 0);
      }
      expect(await recorded(ada)).toEqual([
        { occasion: 'use', signals: ['other-client', 'other-network'], score: 60 },
      ]);
      expect(await alarmsOf(ada)).toBe(1);
    });
    // /room

    // room: tokens
    it('by refresh token from elsewhere is recorded, and its link ends the rotated pair too', async () => {
      const ada = await context.server.person();
      const [by] = tokens as [(typeof tokens)[number]];
      const { refreshToken } = by.from(ada.url, ada.secrets, await signIn(ada, {}, by));
      const stolen = await elsewhere(ada.anonymous).post('/v1/tokens/refresh', { refreshToken });
      expect(stolen.status).toBe(200);
      await until(async () => (await recorded(ada)).length > 0);
      const token = await context.server.mailedToken(ada.email);
      expect((await ada.anonymous.post('/v1/anomaly-reports', { token })).status).toBe(204);
      const again = { refreshToken: stolen.body.refresh_token };
      expect((await elsewhere(ada.anonymous).post('/v1/tokens/refresh', again)).status).toBe(401);
    });
    // /room
  });

  it('are in the export, and are deleted with the account', async () => {
    const ada = await person();
    const client = kind.from(ada.url, ada.secrets, await signIn(ada, ELSEWHERE));
    const { anomalies } = (await client.get('/v1/users/me/export')).body;
    expect(anomalies).toMatchObject([{ occasion: 'sign-in', score: 50, ip: '198.51.100.9' }]);
    expect((await client.delete('/v1/users/me')).status).toBe(204);
    expect(await recorded(ada)).toEqual([]);
  });
});

describe('ANOMALY_SCORE=0', () => {
  const context = useServer({ env: { TRUSTED_PROXIES: 'loopback', ANOMALY_SCORE: '0' } });

  it('lets the first sign-in pass, and asks for a code in every new network', async () => {
    const [{ path, fields }] = signIns as [SignInKind];
    const { email, password, anonymous } = await context.server.person();
    const body = { email, password, ...fields };
    const at = (ip: string) => from(anonymous, { ip }).post(path, body);
    expect((await at('192.0.2.7')).status).toBe(201);
    expect((await at('192.0.2.8')).status).toBe(201);
    expect((await at(newAddress())).body.methods).toEqual(['emailCode']);
  });
});
