import { afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { generateKey } from '../../../src/modes/api-keys/api-key.format.js';
import { ANSWER_AFTER_MS } from '../../../src/platform/lookup/fixed-time.js';
import { MailQueue } from '../../../src/platform/mail/mail-queue.js';
import { InProcessServer } from '../../support/in-process.js';
import { apiKeyOf, KeyClient } from '../../support/modes/api-key.js';
// room: oauth
import { exchange } from '../../support/modes/machine.js';
// /room
import { administer, signIn } from '../../support/modes/any.js';
import type { Client } from '../../support/client.js';
import type { Person } from '../../support/person.js';
import { useStarted } from '../../support/server.js';

const INVALID = { status: 401, problem: 'invalid-credential' };
const PATH = '/v1/api-keys/leak-reports';
const SUBJECT = 'Subject: An API key has leaked';

describe('POST /v1/api-keys/leak-reports', () => {
  const context = useStarted(() => InProcessServer.start({ env: { RATE_LIMITS: 'off' } }));
  const limited = useStarted(() => InProcessServer.start());
  let ada: Person;
  let session: Client;
  let key: KeyClient;
  beforeAll(async () => {
    ada = await context.server.person();
  });
  beforeEach(async () => {
    session = await signIn(ada);
    key = await apiKeyOf(ada, ['probes:read'], { name: `Nightly "Ümport" \u202e From: x ${'y'.repeat(60)}` });
  });
  afterEach(() => {
    context.server.clock.reset();
    jest.restoreAllMocks();
  });

  const report = (text: string) => context.server.anonymous.post(PATH, { key: text });
  const mailsTo = async ({ email }: Person) =>
    (await context.server.mails()).filter((mail) => mail.includes(`To: ${email}`) && mail.includes(SUBJECT));
  /** The text of a mail, its characters no longer quoted. */
  const textOf = (mail: string) =>
    Buffer.from(
      mail
        .replaceAll('=\n', '')
        .replaceAll(/=([0-9A-F]{2})/g, (_all, hex: string) => String.fromCodePoint(Number.parseInt(hex, 16))),
      'latin1',
    ).toString('utf8');
  const events = (event: string) => context.server.entries().filter((entry) => entry['event'] === event);

  it('revokes the key', async () => {
    expect((await report(key.key)).status).toBe(202);
    expect(await key.get('/v1/probes')).toMatchObject(INVALID);
    expect((await session.get(`/v1/api-keys/${key.id}`)).status).toBe(404);
  });

  // room: oauth
  it('revokes the tokens that the key was exchanged for', async () => {
    const token = await exchange(key);
    await report(key.key);
    expect(await token.get('/v1/probes')).toMatchObject(INVALID);
  });
  // /room

  it('mails its owner, without the key, and says it in the log', async () => {
    const before = (await mailsTo(ada)).length;
    await report(key.key);
    const mails = await mailsTo(ada);
    expect(mails.length).toBe(before + 1);
    expect(textOf(mails.at(-1)!)).toContain(
      `\n  ${key.key.slice(0, 12)}...${key.key.slice(-4)} "Nightly "Ümport" From: x ${'y'.repeat(15)}"\n`,
    );
    expect(textOf(mails.at(-1)!)).toContain(`GET /v1/api-keys/:id/usage\n  :id is ${key.id}\n`);
    expect(mails.at(-1)).not.toContain(key.key);
    expect((await session.get(`/v1/api-keys/${key.id}/usage`)).status).toBe(200);
    expect(events('api-key.leaked').at(-1)).toMatchObject({
      level: 'warn',
      ip: '127.0.0.1',
      userId: ada.id,
      credentialId: key.id,
    });
  });

  it('takes it as it was found, with white space around it', async () => {
    await report(`\n ${key.key}\r\n`);
    expect(await key.get('/v1/probes')).toMatchObject(INVALID);
  });

  it('ends the one key that leaked, and not the one that it was rotated to', async () => {
    const rotated = await session.post(`/v1/api-keys/${key.id}/rotation`);
    const fresh = KeyClient.from(context.server.url, context.server.secrets, rotated);
    await report(key.key);
    expect(await key.get('/v1/probes')).toMatchObject(INVALID);
    expect((await fresh.get('/v1/probes')).status).toBe(200);
  });

  it('tells nothing of whether it was a key', async () => {
    const mails = async () => (await context.server.mails()).length;
    const revoked = await apiKeyOf(ada, ['probes:read']);
    await session.delete(`/v1/api-keys/${revoked.id}`);
    const answers = [];
    for (const [text, mailed] of [
      [key.key, 1],
      [key.key, 0], // which is revoked by now
      [revoked.key, 0],
      [generateKey('test').key.reveal(), 0],
      [generateKey('live').key.reveal(), 0],
      ['', 0],
      ['a password', 0],
      ['x'.repeat(50_000), 0],
    ] as const) {
      const before = await mails();
      const started = performance.now();
      const { status, body, headers } = await report(text);
      // Timers are whole milliseconds.
      expect(performance.now() - started).toBeGreaterThan(ANSWER_AFTER_MS - 2);
      expect((await mails()) - before).toBe(mailed);
      const { date: _date, 'x-request-id': _id, ...rest } = Object.fromEntries(headers);
      answers.push({ status, body, rest });
    }
    for (const answer of answers) expect(answer).toEqual(answers[0]);
    expect(answers[0]!.status).toBe(202);
    expect(events('api-key.leak-report-ignored').map(({ reason }) => reason)).toEqual([
      'unknown or revoked key',
      'unknown or revoked key',
      'unknown or revoked key',
      'key of another environment',
      ...Array.from({ length: 3 }, () => 'malformed key'),
    ]);
  });

  it('revokes once when several report at once', async () => {
    const before = (await mailsTo(ada)).length;
    const answers = await Promise.all([1, 2, 3].map(() => report(key.key)));
    expect(answers.map(({ status }) => status)).toEqual([202, 202, 202]);
    expect((await mailsTo(ada)).length).toBe(before + 1);
  });

  it('mails every administrator about the key of a service, and nobody who is disabled', async () => {
    const [grace, eve] = [await context.server.administrator(), await context.server.administrator()];
    const admin = await administer(grace);
    const { body: account } = await admin.post('/v1/admin/service-accounts', { name: 'Billing' });
    const service = KeyClient.from(
      context.server.url,
      context.server.secrets,
      await admin.post(`/v1/admin/service-accounts/${account.id}/api-keys`, {
        name: 'x',
        scopes: ['probes:read'],
      }),
    );
    const gone = await context.server.administrator();
    await admin.put(`/v1/admin/users/${gone.id}/status`, { status: 'disabled' });
    const adas = (await mailsTo(ada)).length;
    await report(service.key);
    expect(await service.get('/v1/probes')).toMatchObject(INVALID);
    const counts = await Promise.all([grace, eve, gone, ada].map(async (one) => (await mailsTo(one)).length));
    expect(counts).toEqual([1, 1, 0, adas]);
    const path = `/v1/admin/service-accounts/${account.id}/api-keys`;
    const [mail] = await mailsTo(grace);
    // Lines of a mail that is not quoted are what is written here, and can be copied.
    expect(mail).toContain('Content-Transfer-Encoding: 7bit\n');
    expect(mail).toContain(
      `GET /v1/admin/service-accounts/:account/api-keys/:id/usage\n  :account is ${account.id}\n  :id is ${service.id}\n`,
    );
    expect((await admin.get(`${path}/${service.id}/usage`)).status).toBe(200);
    expect(events('api-key.leaked').at(-1)).toMatchObject({ serviceAccountId: account.id });
  });

  it('mails nobody who is disabled, and revokes all the same', async () => {
    const admin = await administer(await context.server.administrator());
    const eve = await context.server.person();
    const theirs = await apiKeyOf(eve, ['probes:read']);
    await admin.put(`/v1/admin/users/${eve.id}/status`, { status: 'disabled' });
    await report(theirs.key);
    await admin.put(`/v1/admin/users/${eve.id}/status`, { status: 'active' });
    expect(await theirs.get('/v1/probes')).toMatchObject(INVALID);
    expect(await mailsTo(eve)).toEqual([]);
  });

  it('revokes and mails, or does neither', async () => {
    const queue = context.server.app.get(MailQueue, { strict: false });
    jest.spyOn(queue, 'add').mockRejectedValueOnce(new Error('no room'));
    const before = (await mailsTo(ada)).length;
    expect((await report(key.key)).status).toBe(500);
    expect((await key.get('/v1/probes')).status).toBe(200);
    expect((await report(key.key)).status).toBe(202);
    expect(await key.get('/v1/probes')).toMatchObject(INVALID);
    expect((await mailsTo(ada)).length).toBe(before + 1);
  });

  it.each([
    ['no key', {}, '/key'],
    ['no text', { key: 1 }, '/key'],
    ['a list', { key: ['x'] }, '/key'],
    ['more', { key: 'x', more: 1 }, '/more'],
  ])('refuses %s', async (_what, body, pointer) => {
    const answer = await context.server.anonymous.post(PATH, body);
    expect([answer.status, answer.body.errors?.[0].pointer]).toEqual([400, pointer]);
  });

  it('takes 30 a minute from one address', async () => {
    const answers = await Promise.all(
      Array.from({ length: 31 }, () => limited.server.anonymous.post(PATH, { key: 'x' })),
    );
    expect(answers.filter(({ status }) => status === 202).length).toBe(30);
    const refused = answers.find(({ status }) => status === 429)!;
    expect(refused.problem).toBe('rate-limited');
    expect(refused.headers.get('ratelimit-policy')).toBe('"leak-reports";q=30;w=60');
  });
});
