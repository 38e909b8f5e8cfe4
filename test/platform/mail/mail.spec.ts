import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { HttpAdapterHost } from '@nestjs/core';
import { AfterCommit } from '../../../src/platform/database/after-commit.js';
import { LOGGER } from '../../../src/platform/logging/logger.js';
import { MailQueue } from '../../../src/platform/mail/mail-queue.js';
import { MailService } from '../../../src/platform/mail/mail.service.js';
import { InProcessServer } from '../../support/in-process.js';
import { PASSWORD } from '../../support/server.js';
import { until } from '../../support/until.js';

/** As much of RFC 5321 as it takes to be handed a mail. */
function mailbox() {
  const mails: string[] = [];
  const state = { refusesUs: false };
  const server = createServer((socket) => {
    let received = '';
    let inData = false;
    socket.write('220 mail.example.com\r\n');
    socket.on('data', (chunk) => {
      received += String(chunk);
      for (;;) {
        const end = received.indexOf(inData ? '\r\n.\r\n' : '\r\n');
        if (end < 0) return;
        const line = received.slice(0, end);
        received = received.slice(end + (inData ? 5 : 2));
        if (inData) {
          mails.push(line);
          server.emit('mail');
        }
        const starts = !inData && line === 'DATA';
        const refused = line.includes('TO:<nobody@') || (state.refusesUs && line.startsWith('MAIL FROM'));
        socket.write(
          starts
            ? '354 go on\r\n'
            : line === 'QUIT'
              ? '221 bye\r\n'
              : refused
                ? '550 5.1.1 no such user\r\n'
                : '250 OK\r\n',
        );
        inData = starts;
      }
    });
  });
  return { server, mails, state };
}

describe('mail by SMTP', () => {
  const { server: smtp, mails, state } = mailbox();
  let server: InProcessServer;
  let port: number;

  beforeAll(async () => {
    smtp.listen(0, '127.0.0.1');
    await once(smtp, 'listening');
    port = (smtp.address() as AddressInfo).port;
    server = await InProcessServer.start({
      env: { SMTP_URL: `smtp://127.0.0.1:${port}`, MAIL_FROM: 'Shop <shop@example.com>' },
    });
  });
  afterAll(async () => {
    await server.stop();
    smtp.close();
  });

  it('goes to the server that SMTP_URL names, and to no file', async () => {
    await server.anonymous.post('/v1/users', { email: 'ada@example.com', password: PASSWORD });
    if (mails.length === 0) await once(smtp, 'mail');
    expect(mails[0]).toContain('From: Shop <shop@example.com>');
    expect(mails[0]).toContain('To: ada@example.com');
    const token = /http:\/\/auth\.example\.com\/verify#([\w-]{43})/.exec(mails[0]!)![1]!;
    expect((await server.anonymous.put('/v1/email-verifications', { token })).status).toBe(204);
    expect(await server.mails()).toEqual([]);
  });

  it('fails nothing when it cannot be sent: the failure is in the log, without the link', async () => {
    smtp.close();
    const { status } = await server.anonymous.post('/v1/users', {
      email: 'lost@example.com',
      password: PASSWORD,
    });
    expect(status).toBe(202);
    const failed = () => server.entries().find((entry) => entry['msg'] === 'a mail could not be sent');
    while (!failed()) await new Promise((resolve) => setTimeout(resolve, 10));
    expect(JSON.stringify(failed())).not.toContain('verify#');
  });

  describe('in the queue', () => {
    const text = 'Something happened.\n';
    const queueOf = () => server.app.get(MailQueue, { strict: false });
    const add = (to: string) =>
      server.dataSource.transaction((manager) => queueOf().add(manager, [{ to, subject: 'News', text }]));
    const queued = async () =>
      (await server.dataSource.query('SELECT recipient FROM queued_mails')).map(
        ({ recipient }: { recipient: string }) => recipient,
      );
    const givenUp = () => server.entries().filter(({ msg }) => msg === 'a mail is given up').length;
    const sentTo = (to: string) => mails.filter((mail) => mail.includes(`To: ${to}`)).length;

    it('waits until it can be sent, and is sent once', async () => {
      const before = sentTo('ada@example.com');
      await add('ada@example.com');
      await queueOf().deliver();
      expect(await queued()).toEqual(['ada@example.com']);
      smtp.listen(port, '127.0.0.1');
      await once(smtp, 'listening');
      await queueOf().deliver();
      // Not before it is due again.
      expect(sentTo('ada@example.com')).toBe(before);
      server.clock.advance('5m');
      await queueOf().deliver();
      await queueOf().deliver();
      expect([sentTo('ada@example.com') - before, await queued()]).toEqual([1, []]);
    });

    it('is sent when what it tells of has happened, and not where that is taken back', async () => {
      await add('grace@example.com');
      await until(async () => (await queued()).length === 0);
      expect(sentTo('grace@example.com')).toBe(1);
      const taken = server.dataSource.transaction(async (manager) => {
        await queueOf().add(manager, [{ to: 'eve@example.com', subject: 'News', text }]);
        throw new Error('taken back');
      });
      await expect(taken).rejects.toThrow('taken back');
      await queueOf().deliver();
      expect([sentTo('eve@example.com'), await queued()]).toEqual([0, []]);
    });

    it('is sent by one of two that try at once', async () => {
      smtp.close();
      for (let i = 0; i < 5; i += 1) await add(`one-${i}@example.com`);
      await queueOf().deliver();
      server.clock.advance('5m');
      smtp.listen(port, '127.0.0.1');
      await once(smtp, 'listening');
      const second = new MailQueue(
        server.dataSource,
        server.app.get(MailService),
        server.clock,
        server.app.get(HttpAdapterHost),
        server.app.get(AfterCommit, { strict: false }),
        server.app.get(LOGGER),
      );
      await Promise.all([queueOf().deliver(), second.deliver()]);
      await second.onApplicationShutdown();
      expect([0, 1, 2, 3, 4].map((i) => sentTo(`one-${i}@example.com`))).toEqual([1, 1, 1, 1, 1]);
    });

    it('is left to whoever has it', async () => {
      smtp.close();
      await add('taken@example.com');
      await queueOf().deliver();
      server.clock.advance('5m');
      smtp.listen(port, '127.0.0.1');
      await once(smtp, 'listening');
      await server.dataSource.transaction(async (manager) => {
        await manager.query('SELECT FROM queued_mails FOR UPDATE');
        await queueOf().deliver();
      });
      expect(sentTo('taken@example.com')).toBe(0);
      const failed = ({ msg }: Record<string, unknown>) => String(msg).startsWith('the queue of mails');
      expect(server.entries().filter(failed)).toEqual([]);
      await queueOf().deliver();
      expect(sentTo('taken@example.com')).toBe(1);
    });

    it('is given up after three days', async () => {
      smtp.close();
      await add('gone@example.com');
      await queueOf().deliver();
      server.clock.advance('71h');
      await queueOf().deliver();
      expect(await queued()).toEqual(['gone@example.com']);
      server.clock.advance('1h');
      await queueOf().deliver();
      expect([await queued(), givenUp()]).toEqual([[], 1]);
    });

    it('is tried again ever more seldom, once an hour at least', async () => {
      smtp.close();
      const failures = () => server.entries().filter(({ msg }) => msg === 'a mail could not be sent').length;
      await add('slow@example.com');
      await queueOf().deliver();
      const before = failures();
      const tried: number[] = [];
      for (let minute = 1; minute <= 180; minute += 1) {
        server.clock.advance('1m');
        await queueOf().deliver();
        if (failures() > before + tried.length) tried.push(minute);
      }
      const pauses = tried.map((minute, i) => minute - (tried[i - 1] ?? 0));
      expect(pauses).toEqual(pauses.toSorted((a, b) => a - b));
      // Whole minutes are looked at, and the clock runs on by itself.
      expect(pauses[0]).toBeLessThanOrEqual(6);
      expect([60, 61]).toContain(pauses.at(-1));
      expect(pauses.length).toBeLessThanOrEqual(6);
      await server.dataSource.query('DELETE FROM queued_mails');
    });

    it('is given up at once where the mail server says that it never takes it', async () => {
      smtp.listen(port, '127.0.0.1');
      await once(smtp, 'listening');
      const before = givenUp();
      await add('nobody@example.com');
      await queueOf().deliver();
      expect([await queued(), givenUp() - before]).toEqual([[], 1]);
      // Whom it refuses here is us.
      state.refusesUs = true;
      await add('ada@example.com');
      await queueOf().deliver();
      expect([await queued(), givenUp() - before]).toEqual([['ada@example.com'], 1]);
      state.refusesUs = false;
      server.clock.advance('5m');
      await queueOf().deliver();
      expect(await queued()).toEqual([]);
    });

    it('is sent when a server starts', async () => {
      smtp.close();
      await add('later@example.com');
      await queueOf().deliver();
      await server.dataSource.query(`UPDATE queued_mails SET next_attempt_at = now() - interval '1 day'`);
      smtp.listen(port, '127.0.0.1');
      await once(smtp, 'listening');
      const { DATABASE_URL, SMTP_URL } = server.config;
      const database = { url: DATABASE_URL!, drop: async () => undefined };
      const next = await InProcessServer.start({ database, env: { SMTP_URL: SMTP_URL! } });
      await until(() => sentTo('later@example.com') === 1);
      await next.stop();
    });

    it('needs the transaction that it tells of', async () => {
      const mail = { to: 'ada@example.com', subject: 'News', text };
      const runner = server.dataSource.createQueryRunner();
      for (const manager of [server.dataSource.manager, runner.manager])
        await expect(queueOf().add(manager, [mail])).rejects.toThrow('needs the transaction');
      await runner.release();
    });
  });
});
