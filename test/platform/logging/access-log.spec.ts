import { once } from 'node:events';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from '@jest/globals';
import type { Answer } from '../../support/client.js';
import { anyone, credentials } from '../../support/modes/any.js';
import { useServer } from '../../support/server.js';
import type { Scribe } from './logging.fixture.js';

const FORGED = '{"level":"info","event":"forged","msg":"forged"}';
type Entry = Record<string, unknown>;

/** Sends what fetch would not: the lines of a request, as they are. */
async function sendRaw(url: string, lines: string[]): Promise<string> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  await once(socket, 'connect');
  socket.end(`${lines.join('\r\n')}\r\nConnection: close\r\n\r\n`, 'latin1');
  return text(socket).catch(() => '');
}

describe('the log', () => {
  const context = useServer({ fixture: 'test/platform/logging/logging.fixture.ts#logging' });

  /** The line of the request that got this answer. It is written after the answer. */
  async function lineOf({ headers }: Answer): Promise<Entry> {
    for (let attempt = 0; attempt < 2_000; attempt += 1) {
      const ofRequest = ({ requestId, msg }: Entry) =>
        requestId === headers.get('x-request-id') && msg === 'request';
      const [line, ...more] = (await context.server.entries()).filter(ofRequest);
      expect(more).toEqual([]);
      if (line) return line;
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    throw new Error('the log has no line of the request');
  }

  it.each(credentials)(
    '[V16.2.1] has one line for every request, with the caller and the answer: $name',
    async (kind) => {
      const client = await kind.of(context.server);
      const { subject, credentialId } = (await client.get('/v1/probes/principal')).body;
      const { id } = (await client.post('/v1/probes', { note: 'Tea' })).body;
      const answer = await client.get(`/v1/probes/${id}`);
      const isService = kind.name.endsWith('service');
      expect(await lineOf(answer)).toEqual({
        level: 'info',
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
        requestId: answer.headers.get('x-request-id'),
        method: 'GET',
        route: '/v1/probes/:id',
        status: 200,
        ms: expect.any(Number),
        ip: '127.0.0.1',
        mode: kind.mode,
        [isService ? 'serviceAccountId' : 'userId']: subject,
        credentialId,
        ...(kind.name === 'jwt of a service' && { keyId: expect.any(String) }),
        msg: 'request',
      });
    },
  );

  const narrow = credentials.filter(({ mode }) => mode !== 'session');
  // A session has all scopes of its user.
  (narrow.length > 0 ? it : it.skip)('names the caller of a request that the guard refuses', async () => {
    for (const { name, of } of narrow) {
      const client = await of(context.server, ['probes:read']);
      const { credentialId } = (await client.get('/v1/probes/principal')).body;
      const refused = await client.post('/v1/probes', { note: 'Tea' });
      expect([name, await lineOf(refused)]).toEqual([
        name,
        expect.objectContaining({ method: 'POST', status: 403, credentialId }),
      ]);
      expect(refused.body.instance).toBe(refused.headers.get('x-request-id'));
    }
  });

  it('names no caller for a request without one, and no path of an unknown route', async () => {
    for (const [path, route, status] of [
      ['/v1/probes/principal', '/v1/probes/principal', 401],
      ['/no/such/route?such', null, 404],
    ] as const) {
      const line = await lineOf(await context.server.anonymous.get(path));
      expect(line).toMatchObject({ route, status });
      for (const name of ['mode', 'userId', 'credentialId']) expect(line).not.toHaveProperty(name);
      expect(JSON.stringify(line)).not.toContain('such');
    }
  });

  it('accepts no request id from a client', async () => {
    const headers = { 'X-Request-Id': 'mine', 'Request-Id': 'mine' };
    const { headers: answered } = await context.server.anonymous.get('/health/live', { headers });
    expect(answered.get('x-request-id')).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7/);
  });

  it('[V16.4.1] has one line for each entry, whatever a request contains', async () => {
    const { server } = context;
    const client = await anyone(server);
    const breaks = ['\n', '\r', '\r\n', '\r\n ', '\x85', '%0d%0a', '%0A'];
    for (const lineBreak of breaks) {
      const forged = lineBreak + FORGED + lineBreak;
      await sendRaw(server.url, ['GET /v1/probes/principal HTTP/1.1', 'Host: x', `User-Agent: x${forged}`]);
      await sendRaw(server.url, ['GET /v1/probes/principal HTTP/1.1', 'Host: x', `X-API-Key: ${forged}`]);
      await sendRaw(server.url, ['GET /v1/probes/principal HTTP/1.1', 'Host: x', `X-Request-Id: x${forged}`]);
      await sendRaw(server.url, [`GET /v1/${forged}?x=${forged} HTTP/1.1`, 'Host: x']);
      await sendRaw(server.url, [`GET${forged} /v1/probes/principal HTTP/1.1`, 'Host: x']);
      const body = { email: `x${forged}@example.com`, password: forged, [forged]: 1 };
      await server.anonymous.post('/v1/users', body);
      await server.anonymous.post('/v1/probes/echo', body);
      await client.post('/v1/probes', { note: forged, [forged]: 1 });
    }
    const escaped = encodeURIComponent(`\r\n${FORGED}`);
    await server.anonymous.get(`/v1/probes/${escaped}`, {
      headers: { Authorization: `Bearer ${escaped}` },
    });
    await server.provider<Scribe>('Scribe').warn({ reason: `x\r\n${FORGED}` }, `x\n${FORGED}`);

    const log = await server.log();
    const lines = log.join('').trimEnd().split('\n');
    expect(lines).toHaveLength(log.length);
    const entries = lines.map((line) => JSON.parse(line) as Entry);
    expect(entries.filter(({ event, msg }) => event === 'forged' || msg === 'forged')).toEqual([]);
    expect(entries.every(({ level, time }) => level !== undefined && time !== undefined)).toBe(true);
  });
});
