import { afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { NetworkWatch } from '../../../src/extras/api-key-alerts/network-watch.js';
import { UsageRecorder } from '../../../src/extras/api-key-usage/usage-recorder.js';
import { HousekeepingService, LOCK } from '../../../src/platform/housekeeping/housekeeping.service.js';
import { MailQueue } from '../../../src/platform/mail/mail-queue.js';
import { createDatabase } from '../../support/databases.js';
import { InProcessServer } from '../../support/in-process.js';
import { apiKeyOf, KeyClient } from '../../support/modes/api-key.js';
// room: oauth
import { exchange } from '../../support/modes/machine.js';
// /room
import { administer, signIn } from '../../support/modes/any.js';
import type { Client } from '../../support/client.js';
import type { Person } from '../../support/person.js';
import { useStarted } from '../../support/server.js';
import { until } from '../../support/until.js';

const HOUR_MS = 3_600_000;

describe('alerts about API keys', () => {
  // The test itself is the proxy here, and may say whom it speaks for.
  const context = useStarted(() => InProcessServer.start({ env: { TRUSTED_PROXIES: 'loopback' } }));
  let ada: Person;
  let session: Client;
  beforeEach(async () => {
    context.server.clock.reset();
    ada = await context.server.person();
    session = await signIn(ada);
  });
  afterEach(() => void jest.restoreAllMocks());

  const later = async (duration: string) => {
    context.server.clock.advance(duration);
    session = await signIn(ada);
  };
  const housekeeping = () => context.server.app.get(HousekeepingService).run();
  /** What the list of warnings says of a key; undefined if it is not in it. */
  const warningsOf = async ({ id }: { id: string }, by = session, path = '/v1/api-keys'): Promise<unknown> =>
    (await by.get(`${path}/warnings`)).body.items.find(({ apiKeyId }: any) => apiKeyId === id)?.warnings;
  const mailsTo = async ({ email }: Person, subject: string) =>
    (await context.server.mails()).filter(
      (mail) => mail.includes(`To: ${email}\n`) && mail.includes(`Subject: ${subject}\n`),
    );
  const shown = ({ key }: KeyClient) => `${key.slice(0, 12)}...${key.slice(-4)} "A test"`;
  const expiring = (duration: string) => ({
    expiresAt: new Date(context.server.clock.in(0).getTime() + Number.parseInt(duration, 10) * 24 * HOUR_MS),
  });

  describe('warnings', () => {
    const mails = (person = ada) => mailsTo(person, 'Some of your API keys need attention');

    it('tell of a key that never expires, in a list of their own', async () => {
      const key = await apiKeyOf(ada, ['probes:read']);
      await apiKeyOf(ada, ['probes:read'], expiring('30'));
      const { status, body } = await session.get('/v1/api-keys/warnings');
      expect([status, body]).toEqual([
        200,
        { items: [{ apiKeyId: key.id, warnings: ['never-expires'] }], nextCursor: null },
      ]);
      expect((await session.get(`/v1/api-keys/${key.id}`)).body).not.toHaveProperty('warnings');
    });

    it('are paged, newest key first, and of nobody else', async () => {
      const keys: KeyClient[] = [];
      for (let i = 0; i < 3; i += 1) keys.push(await apiKeyOf(ada, ['probes:read']));
      await apiKeyOf(await context.server.person(), ['probes:read']);
      const idsOf = ({ items }: any) => items.map(({ apiKeyId }: any) => apiKeyId);
      const { body: first } = await session.get('/v1/api-keys/warnings?limit=2');
      const { body: last } = await session.get(`/v1/api-keys/warnings?limit=2&cursor=${first.nextCursor}`);
      expect([...idsOf(first), ...idsOf(last)]).toEqual(keys.toReversed().map(({ id }) => id));
      expect(last.nextCursor).toBeNull();
      expect((await session.get('/v1/api-keys/warnings?limit=0')).status).toBe(400);
    });

    it('tell of one that was not rotated, or not used, for 90 days', async () => {
      const key = await apiKeyOf(ada, ['probes:read'], expiring('400'));
      await later('89d');
      expect(await warningsOf(key)).toBeUndefined();
      await later('25h');
      expect(await warningsOf(key)).toEqual(['not-rotated', 'unused']);
      const now = context.server.clock.now();
      await context.server.dataSource.query('UPDATE api_keys SET last_used_at = $2 WHERE id = $1', [
        key.id,
        now,
      ]);
      expect(await warningsOf(key)).toEqual(['not-rotated']);
      await later('89d');
      expect(await warningsOf(key)).toEqual(['not-rotated']);
      await later('25h');
      expect(await warningsOf(key)).toEqual(['not-rotated', 'unused']);
    });

    it('tell nothing of a key that was rotated, and nothing more of one that expired', async () => {
      const key = await apiKeyOf(ada, ['probes:read']);
      const lapsed = await apiKeyOf(ada, ['probes:read'], expiring('80'));
      await later('91d');
      expect(await warningsOf(lapsed)).toBeUndefined();
      expect(await warningsOf(key)).toEqual(['never-expires', 'not-rotated', 'unused']);
      const { body } = await session.post(`/v1/api-keys/${key.id}/rotation`);
      expect([await warningsOf(body), await warningsOf(key)]).toEqual([['never-expires'], undefined]);
      // Nobody takes over from it any more.
      await session.delete(`/v1/api-keys/${body.id}`);
      expect(await warningsOf(key)).toEqual(['not-rotated', 'unused']);
    });

    it('come by mail from the housekeeping, once for each, and again after 90 days', async () => {
      const [first, second] = [await apiKeyOf(ada, ['probes:read']), await apiKeyOf(ada, ['probes:read'])];
      await housekeeping();
      const [mail, ...more] = await mails();
      expect(more).toEqual([]);
      for (const key of [first, second]) expect(mail).toContain(`${shown(key)}\n  never expires\n`);
      await later('25h');
      await housekeeping();
      expect((await mails()).length).toBe(1);
      await session.delete(`/v1/api-keys/${second.id}`);
      await later('89d');
      await housekeeping();
      await later('1d');
      await housekeeping();
      const [, next, ...last] = await mails();
      expect(last).toEqual([]);
      expect(next).toContain(
        `${shown(first)}\n  never expires\n  was not rotated for 90 days\n  was not used for 90 days\n`,
      );
      expect(next).not.toContain(shown(second));
    });

    it('come as one digest for each owner, and 100 digests in a round, however many are due', async () => {
      const { server } = context;
      await housekeeping();
      const owners = 150;
      // Few keys each, but together more than one batch of the housekeeping.
      await server.dataSource.query(
        `WITH owners AS (
           INSERT INTO subjects (id, kind) SELECT gen_random_uuid(), 'user' FROM generate_series(1, $1) RETURNING id),
         people AS (
           INSERT INTO users (id, email, password_hash, created_at)
           SELECT id, 'crowd-' || id || '@example.com', '', now() FROM owners)
         INSERT INTO api_keys (id, owner_id, lineage_id, name, prefix, last4, key_hash, scopes, created_at)
         SELECT key, owner, key, 'One of many', 'x', 'x', uuid_send(key), '{probes:read}', now()
         FROM (SELECT gen_random_uuid() AS key, id AS owner FROM owners, generate_series(1, 7)) one`,
        [owners],
      );
      const digests = async () =>
        (await server.mails()).filter(
          (mail) => mail.includes('To: crowd-') && mail.includes('need attention'),
        );
      await housekeeping();
      expect(await digests()).toHaveLength(100);
      await housekeeping();
      await housekeeping();
      const all = await digests();
      expect(all).toHaveLength(owners);
      expect(new Set(all.map((mail) => /^To: .*$/m.exec(mail)![0])).size).toBe(owners);
      for (const mail of all) expect(mail.match(/never expires/g)).toHaveLength(7);
    });

    it('come as one digest for the keys of all services, and once a day for each owner', async () => {
      const grace = await context.server.administrator();
      const admin = await administer(grace);
      for (const name of ['Billing', 'Shipping']) {
        const { body: account } = await admin.post('/v1/admin/service-accounts', { name });
        const path = `/v1/admin/service-accounts/${account.id}/api-keys`;
        await admin.post(path, { name: 'A test', scopes: ['probes:read'] });
      }
      await apiKeyOf(ada, ['probes:read']);
      await later('25h');
      await housekeeping();
      expect([(await mails()).length, (await mails(grace)).length]).toEqual([1, 1]);
      expect((await mails(grace))[0]!.match(/never expires/g)).toHaveLength(2);
      await apiKeyOf(ada, ['probes:read']);
      await later('23h');
      await housekeeping();
      expect(await mails()).toHaveLength(1);
      await later('61m');
      await housekeeping();
      expect(await mails()).toHaveLength(2);
    });

    it('[V6.4.5] come by mail once, 14 days before a key expires', async () => {
      const [lasting, short] = [
        await apiKeyOf(ada, ['probes:read'], expiring('30d')),
        await apiKeyOf(ada, ['probes:read'], expiring('7d')),
      ];
      const rotated = await apiKeyOf(ada, ['probes:read'], expiring('30d'));
      await session.post(`/v1/api-keys/${rotated.id}/rotation`, { overlapSeconds: 0 });
      await later('15d');
      await housekeeping();
      expect(await mails()).toEqual([]);
      await later('25h');
      await housekeeping();
      const [mail, ...more] = await mails();
      expect(mail).toContain(`${shown(lasting)}\n  expires within 14 days\n`);
      for (const { key } of [short, rotated]) expect(mail).not.toContain(key.slice(-4));
      await later('25h');
      await housekeeping();
      expect([more, (await mails()).length]).toEqual([[], 1]);
      expect(await warningsOf(lasting)).toBeUndefined();
    });

    it('go to nobody who is disabled', async () => {
      const admin = await administer(await context.server.administrator());
      await apiKeyOf(ada, ['probes:read']);
      await admin.put(`/v1/admin/users/${ada.id}/status`, { status: 'disabled' });
      context.server.clock.advance('75h');
      await housekeeping();
      expect(await mails()).toEqual([]);
    });

    it('go to each owner about their own keys, and to administrators about those of services', async () => {
      const grace = await context.server.administrator();
      const admin = await administer(grace);
      const { body: account } = await admin.post('/v1/admin/service-accounts', { name: 'Billing' });
      const path = `/v1/admin/service-accounts/${account.id}/api-keys`;
      const made = await admin.post(path, { name: 'A test', scopes: ['probes:read'] });
      const service = KeyClient.from(context.server.url, context.server.secrets, made);
      expect(await warningsOf(service, admin, path)).toEqual(['never-expires']);
      const nobody = path.replace(account.id, ada.id);
      expect((await admin.get(`${nobody}/warnings`)).status).toBe(404);
      const mine = await apiKeyOf(ada, ['probes:read']);
      // Past the digest of the test before.
      await later('75h');
      await housekeeping();
      expect(await mails()).toEqual([expect.stringContaining(shown(mine))]);
      expect(await mails(grace)).toEqual([expect.stringContaining(shown(service))]);
      expect((await mails(ada))[0]).not.toContain(shown(service));
    });
  });

  describe('unusual use', () => {
    const mails = () => mailsTo(ada, 'Unusual use of your API keys');
    const logged = ({ id }: KeyClient) =>
      context.server
        .entries()
        .filter(({ event, credentialId }) => event === 'api-key.unusual-use' && credentialId === id)
        .map(({ kind, about, observed, usual }) => [
          kind,
          about,
          ...(observed === undefined ? [] : [observed, usual]),
        ]);

    describe('from a new network', () => {
      const flush = () => context.server.app.get(NetworkWatch, { strict: false }).flush();
      const useFrom = async (client: Pick<KeyClient, 'get'>, ...addresses: string[]) => {
        for (const address of addresses)
          await client.get('/v1/probes', { headers: { 'X-Forwarded-For': address } });
        // What is seen is seen when the answer has left.
        await new Promise((resolve) => setTimeout(resolve, 20));
        await flush();
      };

      it('is recorded, shown and mailed', async () => {
        const key = await apiKeyOf(ada, ['probes:read'], expiring('30'));
        await useFrom(key, '192.0.2.1');
        await useFrom(key, '192.0.2.200', '::ffff:192.0.2.7');
        expect([logged(key), await warningsOf(key), await mails()]).toEqual([[], undefined, []]);
        await useFrom(key, '198.51.100.7');
        expect(logged(key)).toEqual([['new-network', '198.51.100.0/24']]);
        expect(await warningsOf(key)).toEqual(['unusual-use']);
        expect(await mails()).toEqual([
          expect.stringContaining(`${shown(key)}\n  used from a new network: 198.51.100.0/24\n`),
        ]);
        await later('6d');
        expect(await warningsOf(key)).toEqual(['unusual-use']);
        await later('25h');
        expect(await warningsOf(key)).toBeUndefined();
      });

      it('is one of IPv6 too, by /48', async () => {
        const key = await apiKeyOf(ada, ['probes:read']);
        await useFrom(key, '2001:db8:1::1');
        await useFrom(key, '2001:db8:1:ffff::1', '2001:db8:2::1');
        expect(logged(key)).toEqual([['new-network', '2001:db8:2::/48']]);
      });

      it('is noticed if the key is refused', async () => {
        const key = await apiKeyOf(ada, ['probes:read'], {
          allowedCidrs: ['192.0.2.0/24', '127.0.0.0/8', '::1'],
        });
        await useFrom(key, '192.0.2.1');
        await useFrom(key, '203.0.113.7');
        expect(logged(key)).toEqual([['new-network', '203.0.113.0/24']]);
      });

      // room: oauth
      it('is noticed if a token of the key is used', async () => {
        const key = await apiKeyOf(ada, ['probes:read'], {
          allowedCidrs: ['192.0.2.0/24', '127.0.0.0/8', '::1'],
        });
        const token = await exchange(key);
        await flush();
        await useFrom(token, '198.51.100.7');
        expect(logged(key)).toEqual([['new-network', '198.51.100.0/24']]);
      });
      // /room

      it('belongs to the line: a key that was rotated is at home where the one before was', async () => {
        const key = await apiKeyOf(ada, ['probes:read']);
        await useFrom(key, '192.0.2.1');
        const rotated = await session.post(`/v1/api-keys/${key.id}/rotation`);
        const fresh = KeyClient.from(context.server.url, context.server.secrets, rotated);
        await useFrom(fresh, '198.51.100.7');
        await useFrom(fresh, '192.0.2.1');
        await useFrom(key, '198.51.100.7');
        expect([logged(fresh), logged(key)]).toEqual([[['new-network', '198.51.100.0/24']], []]);
      });

      it('is mailed once an hour at most, all that came meanwhile together', async () => {
        const key = await apiKeyOf(ada, ['probes:read']);
        await useFrom(key, '192.0.2.1');
        await useFrom(key, '198.51.100.7');
        const other = await apiKeyOf(ada, ['probes:read']);
        await useFrom(other, '192.0.2.1');
        await useFrom(other, ...Array.from({ length: 25 }, (_, i) => `203.0.${100 + i}.1`));
        await housekeeping();
        expect((await mails()).length).toBe(1);
        await later('61m');
        await housekeeping();
        const [, second, ...more] = await mails();
        expect(more).toEqual([]);
        expect(second).toContain(shown(other));
        expect(second).toContain('used from a new network: 203.0.100.0/24\n');
        expect(second).toContain('  and 5 more\n');
        expect(second).not.toContain('198.51.100.0/24');
        await later('61m');
        await housekeeping();
        expect((await mails()).length).toBe(2);
      });

      it('is mailed by the housekeeping where that failed at first', async () => {
        const key = await apiKeyOf(ada, ['probes:read']);
        await useFrom(key, '192.0.2.1');
        jest
          .spyOn(context.server.app.get(MailQueue, { strict: false }), 'add')
          .mockRejectedValueOnce(new Error('gone'));
        await useFrom(key, '198.51.100.7');
        expect([logged(key).length, (await mails()).length]).toEqual([1, 0]);
        await housekeeping();
        expect((await mails()).length).toBe(1);
      });

      it('is mailed by one node at a time, so that two do not both find the hour free', async () => {
        const key = await apiKeyOf(ada, ['probes:read']);
        await useFrom(key, '192.0.2.1');
        await context.server.dataSource.transaction(async (manager) => {
          await manager.query(`SELECT pg_advisory_xact_lock($1, hashtext('api-key-anomaly-mails'))`, [LOCK]);
          await useFrom(key, '198.51.100.7');
          expect([logged(key).length, (await mails()).length]).toEqual([1, 0]);
        });
        await housekeeping();
        expect((await mails()).length).toBe(1);
      });

      it('is looked at up to a thousand networks of a line', async () => {
        const dataSource = context.server.dataSource;
        const key = await apiKeyOf(ada, ['probes:read']);
        await useFrom(key, '192.0.2.1');
        await dataSource.query(
          `INSERT INTO api_key_networks (lineage_id, network, last_seen_at)
           SELECT $1, set_masklen('10.0.0.0'::inet + n * 256, 24)::cidr, now() FROM generate_series(1, 997) n`,
          [key.id],
        );
        await useFrom(key, '198.51.100.1', '203.0.113.1', '203.0.114.1', '203.0.115.1');
        await useFrom(key, '203.0.116.1');
        expect(logged(key).map(([, network]) => network)).toEqual(['198.51.100.0/24', '203.0.113.0/24']);
        const [{ n }] = await dataSource.query(
          'SELECT count(*)::int AS n FROM api_key_networks WHERE lineage_id = $1',
          [key.id],
        );
        expect(n).toBe(1_000);
        await useFrom(key, '203.0.113.9');
        expect(logged(key).length).toBe(2);
      });

      it('is written when the server stops', async () => {
        const database = await createDatabase();
        const server = await InProcessServer.start({ database });
        await (await apiKeyOf(await server.person(), ['probes:read'])).get('/v1/probes');
        await server.stop();
        const later = await InProcessServer.start({ database });
        const networks = await later.dataSource.query('SELECT network FROM api_key_networks');
        await later.stop();
        await database.drop();
        expect(networks).toEqual([{ network: '127.0.0.0/24' }]);
      });

      it('is forgotten after 90 days without use', async () => {
        const key = await apiKeyOf(ada, ['probes:read'], { allowedCidrs: ['0.0.0.0/0'] });
        const { server } = context;
        const networks = async () =>
          (
            await server.dataSource.query('SELECT network FROM api_key_networks WHERE lineage_id = $1', [
              key.id,
            ])
          ).map(({ network }: { network: string }) => network);
        await useFrom(key, '192.0.2.1');
        await useFrom(key, '198.51.100.7');
        await later('60d');
        // Another address of the network, since this one was seen within the hour by the clock of the process.
        await useFrom(key, '198.51.100.8');
        await later('31d');
        await housekeeping();
        expect(await networks()).toEqual(['198.51.100.0/24']);
        expect(logged(key).length).toBe(1);
        await useFrom(key, '192.0.2.9');
        expect(logged(key).at(-1)).toEqual(['new-network', '192.0.2.0/24']);
        expect(logged(key).length).toBe(2);
      });
    });

    describe('in volume', () => {
      let key: KeyClient;
      beforeAll(() => context.server.dataSource.query('DELETE FROM api_key_usage'));
      beforeEach(async () => {
        key = await apiKeyOf(ada, ['probes:read'], { rateLimit: { requests: 1_000_000, windowSeconds: 60 } });
        await madeHoursAgo(25);
      });

      const madeHoursAgo = (hours: number) =>
        context.server.dataSource.query(
          `UPDATE api_keys SET created_at = date_trunc('hour', $2::timestamptz, 'UTC') WHERE id = $1`,
          [key.id, new Date(context.server.clock.now().getTime() - hours * HOUR_MS)],
        );

      /** Writes what was counted in an hour, as the recorder does. */
      const count = (hoursAgo: number, requests: number, refusals = 0, of = key) =>
        context.server.dataSource.query(
          `INSERT INTO api_key_usage (api_key_id, hour, status_class, requests, refusals)
           VALUES ($1, date_trunc('hour', $2::timestamptz, 'UTC'), 4, $3, $4)`,
          [of.id, new Date(context.server.clock.now().getTime() - hoursAgo * HOUR_MS), requests, refusals],
        );
      const hour = (hoursAgo: number) =>
        `${new Date(context.server.clock.now().getTime() - hoursAgo * HOUR_MS).toISOString().slice(0, 13)}:00Z`;
      const look = async () => {
        await housekeeping();
        return logged(key);
      };

      it.each([
        [
          'a spike: five times the busiest hour',
          [
            [30, 100],
            [5, 20],
            [0, 500],
          ],
          [0, 500, 100],
        ],
        [
          'a spike in the hour before, which has ended since',
          [
            [30, 10],
            [1, 700],
          ],
          [1, 700, 10],
        ],
        [
          'no spike just below',
          [
            [30, 100],
            [0, 499],
          ],
          undefined,
        ],
        [
          'no spike where a busier hour was usual',
          [
            [30, 121],
            [0, 600],
          ],
          undefined,
        ],
        [
          'no spike where that was busy too',
          [
            [600, 121],
            [30, 1],
            [0, 600],
          ],
          undefined,
        ],
        [
          'a spike where the busy hour was more than four weeks ago',
          [
            [673, 121],
            [30, 1],
            [0, 600],
          ],
          [0, 600, 1],
        ],
        [
          'no spike of so few',
          [
            [30, 1],
            [0, 499],
          ],
          undefined,
        ],
        ['a spike where nobody used the key for weeks', [[0, 500]], [0, 500, 0]],
      ] as [string, [number, number][], [number, number, number] | undefined][])(
        'is %s',
        async (_what, hours, found) => {
          for (const [hoursAgo, requests] of hours) await count(hoursAgo, requests);
          const expected = found ? [['volume-spike', hour(found[0]), found[1], found[2]]] : [];
          expect(await look()).toEqual(expected);
          // Once: the next look finds nothing new.
          expect(await look()).toEqual(expected);
        },
      );

      it('is nothing unusual in the first day of a line', async () => {
        await madeHoursAgo(23);
        await count(0, 10_000);
        expect(await look()).toEqual([]);
        await madeHoursAgo(24);
        expect(await look()).toEqual([['volume-spike', hour(0), 10_000, 0]]);
      });

      it.each([
        ['a burst of refusals, also of a new key', [[0, 100, 100]], [0, 100, 0]],
        [
          'a burst: five times the worst hour',
          [
            [30, 60, 20],
            [0, 400, 100],
          ],
          [0, 100, 20],
        ],
        [
          'no burst just below',
          [
            [30, 60, 21],
            [0, 100, 100],
          ],
          undefined,
        ],
        ['no burst of so few', [[0, 99, 99]], undefined],
        ['no burst where all the others were answered', [[0, 400, 0]], undefined],
      ] as [string, [number, number, number][], [number, number, number] | undefined][])(
        'is %s',
        async (_what, hours, found) => {
          for (const [hoursAgo, requests, refusals] of hours) await count(hoursAgo, requests, refusals);
          expect(await look()).toEqual(found ? [['refusal-burst', hour(found[0]), found[1], found[2]]] : []);
        },
      );

      it('belongs to the line: a rotation is not the end of a history', async () => {
        await count(30, 200);
        await count(0, 499);
        const rotated = await session.post(`/v1/api-keys/${key.id}/rotation`);
        const fresh = KeyClient.from(context.server.url, context.server.secrets, rotated);
        await count(0, 501, 0, fresh);
        await housekeeping();
        expect(logged(fresh)).toEqual([['volume-spike', hour(0), 1_000, 200]]);
        // Of an hour there is one, whichever keys of the line it is about.
        const third = await session.post(`/v1/api-keys/${fresh.id}/rotation`);
        expect(third.status).toBe(409);
        await session.delete(`/v1/api-keys/${key.id}`);
        const next = await session.post(`/v1/api-keys/${fresh.id}/rotation`);
        await count(0, 1, 0, KeyClient.from(context.server.url, context.server.secrets, next));
        await housekeeping();
        expect(await warningsOf(next.body)).toEqual(['never-expires']);
      });

      it('is mailed in the same round, and shown', async () => {
        await count(30, 10);
        await count(0, 500, 100);
        await housekeeping();
        expect(await mails()).toEqual([
          expect.stringContaining(
            `${shown(key)}\n  100 refusals in the hour of ${hour(0)}, at most 0 per hour before\n  500 requests in the hour of ${hour(0)}, at most 10 per hour before\n`,
          ),
        ]);
        expect(await warningsOf(key)).toEqual(['never-expires', 'unusual-use']);
      });

      it('comes to light from requests', async () => {
        const hammer = Array.from({ length: 100 }, () => key.post('/v1/probes', { note: 'x' }));
        expect(new Set((await Promise.all(hammer)).map(({ status }) => status))).toEqual(new Set([403]));
        await until(async () => {
          await context.server.app.get(UsageRecorder, { strict: false }).flush();
          return (await look()).length > 0;
        });
        expect(logged(key)).toEqual([['refusal-burst', expect.any(String), 100, 0]]);
      });
    });
  });
});
