import { afterEach, expect } from '@jest/globals';
import type { TestServer } from './server.js';

/** Fails a test after which the log has an error, such as a deadlock or a violated constraint. */
export function expectQuietLog(context: { readonly server: TestServer }): void {
  let logged = 0;
  afterEach(async () => {
    const entries = await context.server.entries();
    const errors = entries.slice(logged).filter(({ level }) => level === 'error');
    logged = entries.length;
    expect(errors).toEqual([]);
  });
}
