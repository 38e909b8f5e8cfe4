import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Client } from '../../support/client.js';
import { createDatabase, type TestDatabase } from '../../support/databases.js';
import { Mailbox } from '../../support/mailbox.js';
import { Node } from '../../support/nodes.js';
import { SecretKeeper } from '../../support/secret-keeper.js';
import { PASSWORD } from '../../support/server.js';
import { until } from '../../support/until.js';

describe('a mail with a link', () => {
  const secrets = new SecretKeeper();
  const mailbox = new Mailbox();
  let directory: string;
  let database: TestDatabase;
  let queries: pg.Pool;
  let port: number;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'auth-modes-mail-'));
    database = await createDatabase();
    queries = new pg.Pool({ connectionString: database.url, max: 1 });
    port = await mailbox.listen();
  });
  afterAll(async () => {
    await queries.end();
    await database.drop();
    mailbox.close();
    await rm(directory, { recursive: true, force: true });
  });

  const start = () =>
    Node.start({
      DATABASE_URL: database.url,
      DATA_DIRECTORY: directory,
      SMTP_URL: `smtp://127.0.0.1:${port}`,
    });
  const query = async (sql: string) => (await queries.query(sql)).rows;

  it.each([
    [
      'a registration',
      (node: Client, email: string) => node.post('/v1/users', { email, password: PASSWORD }),
      (node: Client, token: string) => node.put('/v1/email-verifications', { token }),
    ],
    [
      'a reset of the password',
      async (node: Client, email: string) => {
        await queries.query(
          `WITH created AS (INSERT INTO users (id, email, password_hash, created_at)
             VALUES (gen_random_uuid(), $1, 'none', now()) RETURNING id)
           INSERT INTO subjects (id, kind) SELECT id, 'user' FROM created`,
          [email],
        );
        return node.post('/v1/password-resets', { email });
      },
      (node: Client, token: string) => node.put('/v1/password-resets', { token, newPassword: PASSWORD }),
    ],
  ])('of %s is sent with a fresh link after the process was killed', async (what, ask, use) => {
    const email = `${what.replaceAll(' ', '-')}@example.com`;
    const first = await start();
    mailbox.isSilent = true;
    const before = mailbox.connections;
    expect((await ask(new Client(first.url, secrets), email)).status).toBe(202);
    await until(() => mailbox.connections > before);
    first.child.kill('SIGKILL');
    await first.exited;
    mailbox.isSilent = false;
    expect(mailbox.mails.filter((mail) => mail.includes(`To: ${email}`))).toEqual([]);
    expect(await query('SELECT recipient, subject, text FROM queued_mails')).toEqual([
      { recipient: email, subject: null, text: null },
    ]);

    // Its next attempt is due.
    await query(`UPDATE queued_mails SET next_attempt_at = now() - interval '1 hour'`);
    const second = await start();
    await until(() => mailbox.mails.some((mail) => mail.includes(`To: ${email}`)));
    await until(async () => (await query('SELECT 1 FROM queued_mails')).length === 0);
    const [, token] = /#([\w-]{43})/.exec(mailbox.mails.at(-1)!)!;
    secrets.keep(token!);
    const database = { query };
    expect(await secrets.foundInTables(database)).toEqual([]);
    expect((await use(new Client(second.url, secrets), token!)).status).toBe(204);
    await second.stop();
  });
});
