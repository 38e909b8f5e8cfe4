import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { HttpAdapterHost } from '@nestjs/core';
import { AfterCommit } from '../../../src/platform/database/after-commit.js';
import { LOGGER } from '../../../src/platform/logging/logger.js';
import { requestContext, runInRequest } from '../../../src/platform/logging/request-context.js';
import { MailKinds } from '../../../src/platform/mail/mail-kinds.js';
import { MailQueue } from '../../../src/platform/mail/mail-queue.js';
import { MailService } from '../../../src/platform/mail/mail.service.js';
import { InProcessServer } from '../../support/in-process.js';
import { Mailbox } from '../../support/mailbox.js';
import { PASSWORD } from '../../support/server.js';
import { until } from '../../support/until.js';

describe('mail by SMTP', () => {
  const mailbox = new Mailbox();
  const { server: smtp, mails } = mailbox;
  let server: InProcessServer;
  let port: number;

  beforeAll(async () => {
    port = await mailbox.listen();
    server = await InProcessServer.start({
      env: { SMTP_URL: `smtp://127.0.0.1:${port}`, MAIL_FROM: 'Shop <shop@example.com>' },
    });
  });
  afterAll(async () => {
    await server.stop();
    mailbox.close();
  });

  it('goes to the server of SMTP_URL, and to no file', async () => {
    await server.anonymous.post('/v1/users', { email: 'ada@example.com', password: PASSWORD });
    if (mails.length === 0) await once(smtp, 'mail');
    expect(mails[0]).toContain('From: Shop <shop@example.com>');
    expect(mails[0]).toContain('To: ada@example.com');
    const token = /http:\/\/auth\.example\.com\/verify#([\w-]{43})/.exec(mails[0]!)![1]!;
    expect((await server.anonymous.put('/v1/email-verifications', { token })).status).toBe(204);
    expect(await server.mails()).toEqual([]);
  });

  it('does not fail the request if it cannot be sent, and the log does not contain the link', async () => {
    mailbox.close();
    const { status } = await server.anonymous.post('/v1/users', {
      email: 'lost@example.com',
      password: PASSWORD,
    });
    expect(status).toBe(202);
    const failed = () => server.entries().find((entry) => entry['msg'] === 'mail delivery failed');
    while (!failed()) await new Promise((resolve) => setTimeout(resolve, 10));
    expect(JSON.stringify(failed())).not.toContain('verify#');
    await server.dataSource.query('DELETE FROM queued_mails');
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
    const givenUp = () => server.entries().filter(({ msg }) => msg === 'mail delivery stopped').length;
    const sentTo = (to: string) => mails.filter((mail) => mail.includes(`To: ${to}`)).length;

    it('waits until it can be sent, and is sent once', async () => {
      const before = sentTo('ada@example.com');
      await add('ada@example.com');
      await queueOf().deliver();
      expect(await queued()).toEqual(['ada@example.com']);
      await mailbox.listen(port);
      await queueOf().deliver();
      // Not before it is due again.
      expect(sentTo('ada@example.com')).toBe(before);
      server.clock.advance('5m');
      await queueOf().deliver();
      await queueOf().deliver();
      expect([sentTo('ada@example.com') - before, await queued()]).toEqual([1, []]);
    });

    it('is sent after the commit, and not after a rollback', async () => {
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
      mailbox.close();
      for (let i = 0; i < 5; i += 1) await add(`one-${i}@example.com`);
      await queueOf().deliver();
      server.clock.advance('5m');
      await mailbox.listen(port);
      const second = new MailQueue(
        server.dataSource,
        server.app.get(MailService, { strict: false }),
        server.app.get(MailKinds, { strict: false }),
        server.clock,
        server.app.get(HttpAdapterHost),
        server.app.get(AfterCommit, { strict: false }),
        server.app.get(LOGGER),
      );
      await Promise.all([queueOf().deliver(), second.deliver()]);
      await second.onApplicationShutdown();
      expect([0, 1, 2, 3, 4].map((i) => sentTo(`one-${i}@example.com`))).toEqual([1, 1, 1, 1, 1]);
    });

    it('is left to the node that sends it', async () => {
      mailbox.close();
      await add('taken@example.com');
      await queueOf().deliver();
      server.clock.advance('5m');
      await mailbox.listen(port);
      await server.dataSource.transaction(async (manager) => {
        await manager.query('SELECT FROM queued_mails FOR UPDATE');
        await queueOf().deliver();
      });
      expect(sentTo('taken@example.com')).toBe(0);
      const failed = ({ msg }: Record<string, unknown>) => String(msg).startsWith('the mail queue');
      expect(server.entries().filter(failed)).toEqual([]);
      await queueOf().deliver();
      expect(sentTo('taken@example.com')).toBe(1);
    });

    it('is not held up by another one for which the mail server is slow', async () => {
      mailbox.isSilent = true;
      const before = mailbox.connections;
      await add('slow@example.com');
      await until(() => mailbox.connections > before);
      mailbox.isSilent = false;
      await add('quick@example.com');
      await until(() => sentTo('quick@example.com') === 1);
      expect(await queued()).toContain('slow@example.com');
      mailbox.hangUp();
      await queueOf().deliver();
      await server.dataSource.query('DELETE FROM queued_mails');
    });

    describe('that is written when it is sent', () => {
      const kinds = () => server.app.get(MailKinds, { strict: false });
      const request = (kind: string) =>
        server.dataSource.transaction((manager) =>
          queueOf().add(manager, [{ to: 'written@example.com', kind }]),
        );

      it('is written anew for each attempt', async () => {
        let written = 0;
        kinds().register('numbered', async (_manager, { to }) => {
          written += 1;
          return { to, subject: 'News', text: `Number ${written}\n` };
        });
        mailbox.close();
        await request('numbered');
        await queueOf().deliver();
        await mailbox.listen(port);
        server.clock.advance('5m');
        await queueOf().deliver();
        expect([await queued(), sentTo('written@example.com')]).toEqual([[], 1]);
        expect(mails.at(-1)).toContain('Number 2');
      });

      it('is written without the context of the request that started the queue', async () => {
        const seen: unknown[] = [];
        kinds().register('of-nobody', async () => {
          seen.push(requestContext());
          return undefined;
        });
        const context = {
          requestId: '1',
          ip: '192.0.2.1',
          userAgent: undefined,
          cookie: undefined,
          connection: { destroyed: false },
        };
        runInRequest({}, context, () => void request('of-nobody'));
        await until(() => seen.length > 0);
        expect(seen).toEqual([undefined]);
      });

      it('is dropped where it is no longer needed', async () => {
        kinds().register('needless', async () => undefined);
        const before = mails.length;
        await request('needless');
        await queueOf().deliver();
        expect([await queued(), mails.length]).toEqual([[], before]);
      });

      it('waits for a newer version of the server if nothing knows its kind', async () => {
        await request('of-tomorrow');
        await queueOf().deliver();
        expect(await queued()).toEqual(['written@example.com']);
        await server.dataSource.query('DELETE FROM queued_mails');
      });

      it('has one writer', () => {
        expect(() => kinds().register('email-verification', async () => undefined)).toThrow(
          'mails of the kind "email-verification" are registered twice',
        );
      });
    });

    it('is given up after three days', async () => {
      mailbox.close();
      await add('gone@example.com');
      await queueOf().deliver();
      server.clock.advance('71h');
      await queueOf().deliver();
      expect(await queued()).toEqual(['gone@example.com']);
      server.clock.advance('1h');
      await queueOf().deliver();
      expect([await queued(), givenUp()]).toEqual([[], 1]);
    });

    it('is retried with growing delays of at most an hour', async () => {
      mailbox.close();
      const failures = () => server.entries().filter(({ msg }) => msg === 'mail delivery failed').length;
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

    it('is given up at once if the mail server refuses it permanently', async () => {
      await mailbox.listen(port);
      const before = givenUp();
      await add('nobody@example.com');
      await queueOf().deliver();
      expect([await queued(), givenUp() - before]).toEqual([[], 1]);
      // Whom it refuses here is us.
      mailbox.refusesUs = true;
      await add('ada@example.com');
      await queueOf().deliver();
      expect([await queued(), givenUp() - before]).toEqual([['ada@example.com'], 1]);
      mailbox.refusesUs = false;
      server.clock.advance('5m');
      await queueOf().deliver();
      expect(await queued()).toEqual([]);
    });

    it('is sent when a server starts', async () => {
      mailbox.close();
      await add('later@example.com');
      await queueOf().deliver();
      await server.dataSource.query(`UPDATE queued_mails SET next_attempt_at = now() - interval '1 day'`);
      await mailbox.listen(port);
      const { DATABASE_URL, SMTP_URL } = server.config;
      const database = { url: DATABASE_URL!, drop: async () => undefined };
      const next = await InProcessServer.start({ database, env: { SMTP_URL: SMTP_URL! } });
      await until(() => sentTo('later@example.com') === 1);
      await next.stop();
    });

    it('requires a transaction', async () => {
      const mail = { to: 'ada@example.com', subject: 'News', text };
      const runner = server.dataSource.createQueryRunner();
      for (const manager of [server.dataSource.manager, runner.manager])
        await expect(queueOf().add(manager, [mail])).rejects.toThrow('must be added in the transaction');
      await runner.release();
    });
  });
});
