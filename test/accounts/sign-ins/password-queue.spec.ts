import { connect, type Socket } from 'node:net';
import { afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { PasswordHasher } from '../../../src/platform/crypto/password-hasher.js';
import { InProcessServer } from '../../support/in-process.js';
import { signIns } from '../../support/modes/any.js';
import type { Person } from '../../support/person.js';
import { useStarted } from '../../support/server.js';
import { until } from '../../support/until.js';

const { path, fields } = signIns[0]!;
const BURST = 210;
/** As many are checked at once as there are threads for it, and clients take turns: a few come before the honest one. */
const FEW = 20;
/** Slow enough for a queue to form on any machine. */
const SLOW = { memoryCost: 19_456, timeCost: 10, parallelism: 1 };

describe('the queue of passwords to check', () => {
  const context = useStarted(() =>
    InProcessServer.start({
      // Without limits, which would refuse most of a burst before the queue.
      env: { TRUSTED_PROXIES: 'loopback', RATE_LIMITS: 'off' },
      overrides: [new PasswordHasher(SLOW)],
    }),
  );
  let ada: Person;
  let sockets: Socket[] = [];
  beforeAll(async () => {
    ada = await context.server.person();
  });
  afterEach(() => {
    for (const socket of sockets) socket.destroy();
    sockets = [];
    jest.restoreAllMocks();
  });

  /** Sends sign-ins from one address, each on a connection of its own, and waits until all are being checked. */
  const burst = async (from: string) => {
    const { server } = context;
    const asked = jest.spyOn(server.app.get(PasswordHasher), 'verify');
    const body = JSON.stringify({ email: ada.email, password: 'a wrong password', ...fields });
    sockets = Array.from({ length: BURST }, () => {
      const socket = connect(Number(new URL(server.url).port), '127.0.0.1').on('error', () => undefined);
      socket.write(
        `POST ${path} HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: ${from}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
      );
      return socket;
    });
    await until(() => asked.mock.calls.length >= BURST);
  };
  const checked = () => context.server.entries().filter(({ event }) => event === 'sign-in.refused').length;
  const honest = () =>
    context.server.anonymous.post(
      path,
      { email: ada.email, password: ada.password, ...fields },
      { headers: { 'X-Forwarded-For': '198.51.100.7' } },
    );

  it('forgets requests that were closed: an honest sign-in does not wait for them', async () => {
    await burst('198.51.100.7');
    for (const socket of sockets) socket.destroy();
    await until(
      () =>
        new Promise((resolve) =>
          context.server.app.getHttpServer().getConnections((_error: unknown, n: number) => resolve(n < 5)),
        ),
    );
    const before = checked();
    expect((await honest()).status).toBe(201);
    expect(checked() - before).toBeLessThan(FEW);
  });

  it('takes turns between addresses: one that floods it does not hold up another, nor fill it', async () => {
    await burst('192.0.2.1');
    const before = checked();
    expect((await honest()).status).toBe(201);
    expect(checked() - before).toBeLessThan(FEW);
  });
});

describe('a stored hash that is not ours', () => {
  const context = useStarted(() => InProcessServer.start());

  it.each([
    [
      'of 4 GiB',
      '$argon2id$v=19$m=4194304,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA$aGFzaGhhc2hoYXNoaGFzaGhhc2hoYXNoaGFzaGhhc2g',
      'too high',
    ],
    ['of bcrypt', '$2b$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy', 'not argon2id'],
    ['that is empty', '', 'not argon2id'],
  ])('%s is an invalid credential, and the log says why', async (_what, stored, reason) => {
    const { server } = context;
    const { id, email, password } = await server.person();
    await server.dataSource.query('UPDATE users SET password_hash = $2 WHERE id = $1', [id, stored]);
    expect(await server.anonymous.post(path, { email, password, ...fields })).toMatchObject({
      status: 401,
      problem: 'invalid-credential',
    });
    expect(server.entries().findLast(({ event }) => event === 'sign-in.refused')).toMatchObject({
      userId: id,
      reason: expect.stringContaining(reason),
    });
  });
});
