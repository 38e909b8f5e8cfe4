import { expect, it, jest } from '@jest/globals';
// room: audit
import { AuditRecorder } from '../../../src/extras/audit/audit-recorder.js';
// /room
import { PasswordHasher } from '../../../src/platform/crypto/password-hasher.js';
import { MailQueue } from '../../../src/platform/mail/mail-queue.js';
import { InProcessServer } from '../../support/in-process.js';
import { useStarted } from '../../support/server.js';

const context = useStarted(() => InProcessServer.start());

it('does the same work to register a free and a taken address', async () => {
  const { server } = context;
  const taken = (await server.person()).email;
  const hashed = jest.spyOn(server.app.get(PasswordHasher), 'hash');
  const queried = jest.spyOn(server.dataSource.driver, 'createQueryRunner');
  // Mails are sent after the answer.
  jest.spyOn(server.app.get(MailQueue, { strict: false }), 'deliver').mockResolvedValue();
  // room: audit
  // So are refusals, at most once a second.
  jest.spyOn(server.app.get(AuditRecorder, { strict: false }), 'keep').mockReturnValue();
  // /room
  const work = [];
  for (const email of ['free@example.com', taken]) {
    hashed.mockClear();
    queried.mockClear();
    const answer = await server.anonymous.post('/v1/users', { email, password: 'another password for it' });
    expect(answer.status).toBe(202);
    work.push({ hashes: hashed.mock.calls.length, queries: queried.mock.calls.length });
  }
  expect(work[1]).toEqual(work[0]);
  expect(work[0]!.hashes).toBe(1);
});
