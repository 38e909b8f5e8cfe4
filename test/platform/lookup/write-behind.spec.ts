import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { requestContext, runInRequest } from '../../../src/platform/logging/request-context.js';
import { WriteBehind } from '../../../src/platform/lookup/write-behind.js';

const INTERVAL = 5_000;

describe('WriteBehind', () => {
  let written: Record<string, number>[];
  let errors: unknown[];
  let failWith: Error | undefined;
  let behind: WriteBehind<number>;

  beforeEach(() => {
    jest.useFakeTimers();
    written = [];
    errors = [];
    failWith = undefined;
    behind = new WriteBehind<number>(
      INTERVAL,
      async (entries) => {
        if (failWith) throw failWith;
        written.push(Object.fromEntries(entries));
      },
      (error) => errors.push(error),
    );
  });

  afterEach(async () => {
    await behind.stop();
    jest.useRealTimers();
  });

  it('writes without the context of the request that flushed it', async () => {
    const seen: unknown[] = [];
    const own = new WriteBehind<number>(
      INTERVAL,
      async () => void seen.push(requestContext()),
      () => undefined,
    );
    own.set('a', 1);
    const connection = { destroyed: false };
    const context = { requestId: '1', ip: '192.0.2.1', userAgent: undefined, cookie: undefined, connection };
    runInRequest({}, context, () => void own.flush());
    await own.stop();
    expect(seen).toEqual([undefined]);
  });

  it('writes the last value of each key, together', async () => {
    behind.set('a', 1);
    behind.set('b', 2);
    behind.set('a', 3);
    expect(written).toEqual([]);
    await jest.advanceTimersByTimeAsync(INTERVAL);
    expect(written).toEqual([{ a: 3, b: 2 }]);
  });

  it('writes nothing if there is nothing to write', async () => {
    await jest.advanceTimersByTimeAsync(3 * INTERVAL);
    await behind.flush();
    expect(written).toEqual([]);
  });

  it('keeps unwritten values, and prefers newer ones', async () => {
    failWith = new Error('no database');
    behind.set('a', 1);
    behind.set('b', 2);
    await behind.flush();
    behind.set('a', 3);
    failWith = undefined;
    await behind.flush();
    expect(written).toEqual([{ a: 3, b: 2 }]);
  });

  it('reports a row of failures once', async () => {
    failWith = new Error('no database');
    behind.set('a', 1);
    await jest.advanceTimersByTimeAsync(3 * INTERVAL);
    expect(errors).toEqual([failWith]);

    failWith = undefined;
    await behind.flush();
    failWith = new Error('gone again');
    behind.set('a', 2);
    await behind.flush();
    expect(errors).toHaveLength(2);
  });

  it('writes when it stops, and not by itself after that', async () => {
    behind.set('a', 1);
    await behind.stop();
    expect(written).toEqual([{ a: 1 }]);
    behind.set('a', 2);
    await jest.advanceTimersByTimeAsync(2 * INTERVAL);
    expect(written).toHaveLength(1);
  });

  it('writes one batch at a time', async () => {
    let release!: () => void;
    const batches: number[] = [];
    const slow = new WriteBehind<number>(
      INTERVAL,
      (entries) => {
        batches.push(entries.get('a')!);
        return new Promise((resolve) => (release = resolve));
      },
      () => {},
    );
    slow.set('a', 1);
    const first = slow.flush();
    await jest.advanceTimersByTimeAsync(0);
    slow.set('a', 2);
    const second = slow.stop();
    await jest.advanceTimersByTimeAsync(0);
    expect(batches).toEqual([1]);
    release();
    await first;
    await jest.advanceTimersByTimeAsync(0);
    expect(batches).toEqual([1, 2]);
    release();
    await second;
  });
});
