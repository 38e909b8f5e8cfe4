import { once } from 'node:events';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { PASSWORD, TestServer } from '../../support/server.js';

/** As much of RFC 5321 as it takes to be handed a mail. */
function mailbox(): { server: Server; mails: string[] } {
  const mails: string[] = [];
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
        socket.write(starts ? '354 go on\r\n' : line === 'QUIT' ? '221 bye\r\n' : '250 OK\r\n');
        inData = starts;
      }
    });
  });
  return { server, mails };
}

describe('mail by SMTP', () => {
  const { server: smtp, mails } = mailbox();
  let server: TestServer;

  beforeAll(async () => {
    smtp.listen(0, '127.0.0.1');
    await once(smtp, 'listening');
    const { port } = smtp.address() as AddressInfo;
    server = await TestServer.start({
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
});
