import { describe, expect, it } from '@jest/globals';
import { type AuditRow, rowOf } from '../../../src/extras/audit/audit-rows.js';
import { RefusalCounts } from '../../../src/extras/audit/refusal-counts.js';

const refusal = (ip: string, at = '2026-01-01T00:00:10Z', problem = 'credential-required'): AuditRow => ({
  ...rowOf(
    { type: 'request.refused', result: 'refused', facts: { problem, credentialId: 'a key' } },
    new Date(at),
  ),
  ip,
});
const sum = (rows: AuditRow[]) => rows.reduce((total, { requests }) => total + requests, 0);

describe('the counts of refusals', () => {
  it('have one row for each minute, reason and address, without a credential', () => {
    const counts = new RefusalCounts();
    for (const row of [
      refusal('192.0.2.1'),
      refusal('192.0.2.1', '2026-01-01T00:00:59Z'),
      refusal('192.0.2.1', '2026-01-01T00:01:00Z'),
      refusal('192.0.2.2'),
      refusal('192.0.2.1', undefined, 'csrf'),
    ])
      counts.add(row);
    const rows = counts.takeAll();
    expect(rows.map(({ requests }) => requests)).toEqual([2, 1, 1, 1]);
    expect(rows.every(({ credentialId }) => credentialId === undefined)).toBe(true);
  });

  it('have one row for each account and limit', () => {
    const counts = new RefusalCounts();
    for (const account of ['one', 'two', 'one'])
      counts.add({ ...refusal('192.0.2.1'), account, details: { limit: 'password-address', retryAfter: 1 } });
    counts.add({ ...refusal('192.0.2.1'), account: 'one', details: { limit: 'password-account' } });
    expect(counts.takeAll()).toMatchObject([
      { requests: 2, account: 'one', details: { limit: 'password-address' } },
      { requests: 1, account: 'two', details: { limit: 'password-address' } },
      { requests: 1, account: 'one', details: { limit: 'password-account' } },
    ]);
  });

  it('keep the current minute back', () => {
    const counts = new RefusalCounts();
    counts.add(refusal('192.0.2.1'));
    counts.add(refusal('192.0.2.1', '2026-01-01T00:01:00Z'));
    expect(counts.takeBefore(new Date('2026-01-01T00:01:30Z'))).toHaveLength(1);
    expect(counts.takeBefore(new Date('2026-01-01T00:01:30Z'))).toEqual([]);
    expect(counts.takeAll()).toHaveLength(1);
  });

  it('need a bounded number of rows for any number of addresses, and lose no refusal', () => {
    const counts = new RefusalCounts();
    for (let i = 0; i < 20_000; i += 1) counts.add(refusal(`2001:db8:${i.toString(16)}::/64`));
    const rows = counts.takeAll();
    expect(rows).toHaveLength(5_001);
    expect(sum(rows)).toBe(20_000);
    expect(rows.at(-1)).toMatchObject({ requests: 15_000, ip: undefined });
  });

  it('need a bounded number of rows for any number of reasons, and lose no refusal', () => {
    const counts = new RefusalCounts();
    for (let i = 0; i < 20_000; i += 1) counts.add({ ...refusal('192.0.2.1'), reason: `reason ${i}` });
    const rows = counts.takeAll();
    expect(rows).toHaveLength(10_001);
    expect(sum(rows)).toBe(20_000);
    expect(rows.at(-1)).toMatchObject({ requests: 10_000, reason: 'other', ip: undefined });
  });
});
