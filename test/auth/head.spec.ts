import { randomUUID } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
// room: sessions
import { sessionOf } from '../support/modes/session.js';
// /room
import { useServer } from '../support/server.js';

describe('HEAD', () => {
  const context = useServer({ env: { RATE_LIMITS: 'off' } });

  it('is refused wherever GET is', async () => {
    const { server } = context;
    for (const { method, path } of await server.routes()) {
      if (method !== 'GET') continue;
      const asked = server.url + path.replaceAll(/:\w+/g, () => randomUUID());
      const [get, head] = [await fetch(asked), await fetch(asked, { method: 'HEAD' })];
      await get.body?.cancel();
      expect({ path, status: head.status }).toEqual({ path, status: get.status });
    }
  });

  // room: sessions
  it('needs no CSRF token, and comes from no other origin either', async () => {
    const { Cookie = '' } = (await sessionOf(await context.server.person())).headers;
    const head = (headers: Record<string, string>) =>
      fetch(`${context.server.url}/v1/probes/principal`, {
        method: 'HEAD',
        headers: { Cookie, ...headers },
      });
    expect((await head({})).status).toBe(200);
    expect((await head({ Origin: 'https://evil.example' })).status).toBe(403);
  });
  // /room
});
