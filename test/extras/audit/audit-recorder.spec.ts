import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { AuditRecorder } from '../../../src/extras/audit/audit-recorder.js';
import type { SecurityLog } from '../../../src/platform/logging/security-log.js';
import { InProcessServer } from '../../support/in-process.js';

const MAX_WAITING = 10_000;

describe('while audit events cannot be written', () => {
  let server: InProcessServer;
  let userId: string;
  beforeAll(async () => {
    server = await InProcessServer.start();
    ({ id: userId } = await server.person());
    await server.query('ALTER TABLE audit_events RENAME TO hidden_events');
  });
  afterAll(() => server.stop());

  it('events of success are kept whole, and refusals are counted in bounded memory', async () => {
    const log = server.provider<SecurityLog>('SecurityLog');
    const flush = () => server.provider<AuditRecorder>('AuditRecorder').flush();
    for (let i = 0; i < MAX_WAITING + 5; i += 1) void log.refused('test.refused', { userId });
    for (let i = 0; i < 5; i += 1) void log.happened('test.happened', { userId, note: 'whole' });
    for (let minute = 0; minute < 3; minute += 1) {
      for (let i = 0; i < 5_000; i += 1) void log.refused('attempt.limited', { reason: `reason ${i}` });
      server.clock.advance('1m');
      await flush();
    }
    await server.query('ALTER TABLE hidden_events RENAME TO audit_events');
    await flush();
    await flush();
    const rows = await server.query(
      `SELECT type, count(*)::integer AS rows, sum(requests)::integer AS requests, max(details ->> 'note') AS note
       FROM audit_events WHERE type IN ('test.refused', 'test.happened', 'attempt.limited') GROUP BY type`,
    );
    const of = (name: string) => rows.find(({ type }: { type: string }) => type === name);
    expect(of('test.happened')).toMatchObject({ rows: 5, note: 'whole' });
    expect(of('test.refused')).toMatchObject({ rows: MAX_WAITING + 1, requests: MAX_WAITING + 5 });
    expect(of('attempt.limited').requests).toBe(15_000);
    expect(of('attempt.limited').rows).toBeLessThanOrEqual(MAX_WAITING);
  });
});
