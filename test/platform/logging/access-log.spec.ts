import { once } from 'node:events';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from '@jest/globals';
import type { Logger } from 'pino';
import { LOGGER } from '../../../src/platform/logging/logger.js';
import type { Answer } from '../../support/client.js';
import { InProcessServer } from '../../support/in-process.js';
import { apiKeyOf } from '../../support/modes/api-key.js';
import { jwtOf } from '../../support/modes/jwt.js';
import { sessionOf } from '../../support/modes/session.js';
import { useStarted } from '../../support/server.js';

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
  const context = useStarted(() => InProcessServer.start());

  /** The line of the request that got this answer. It is written after the answer. */
  async function lineOf({ headers }: Answer): Promise<Entry> {
    for (let attempt = 0; attempt < 2_000; attempt += 1) {
      const ofRequest = ({ requestId, msg }: Entry) =>
        requestId === headers.get('x-request-id') && msg === 'request';
      const [line, ...more] = context.server.entries().filter(ofRequest);
      expect(more).toEqual([]);
      if (line) return line;
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    throw new Error('the log has no line of the request');
  }

  it('has one line for every request: who came, by what, where, and what was answered', async () => {
    const ada = await context.server.person();
    const session = await sessionOf(ada);
    const jwt = await jwtOf(ada);
    const key = await apiKeyOf(ada, ['probes:read']);
    const { id } = (await session.post('/v1/probes', { note: 'Tea' })).body;
    for (const [client, mode, credentialId] of [
      [session, 'session', session.signInId],
      [jwt, 'jwt', jwt.claims['jti']],
      [key, 'api-key', key.id],
    ] as const) {
      const answer = await client.get(`/v1/probes/${id}`);
      expect(await lineOf(answer)).toEqual({
        level: 'info',
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
        requestId: answer.headers.get('x-request-id'),
        method: 'GET',
        route: '/v1/probes/:id',
        status: 200,
        ms: expect.any(Number),
        ip: '127.0.0.1',
        mode,
        userId: ada.id,
        credentialId,
        msg: 'request',
      });
    }
    // Known by then, though refused.
    const refused = await key.delete(`/v1/probes/${id}`);
    expect(await lineOf(refused)).toMatchObject({ method: 'DELETE', status: 403, credentialId: key.id });
    expect(refused.body.instance).toBe(refused.headers.get('x-request-id'));
  });

  it('names nobody where nobody was let in, and no path of an unknown route', async () => {
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

  it('takes the id of a request from no client', async () => {
    const headers = { 'X-Request-Id': 'mine', 'Request-Id': 'mine' };
    const { headers: answered } = await context.server.anonymous.get('/health/live', { headers });
    expect(answered.get('x-request-id')).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7/);
  });

  it('has a line for each entry, whatever a request holds', async () => {
    const { server } = context;
    const session = await sessionOf(await server.person());
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
      await session.post('/v1/api-keys', { name: forged, scopes: ['probes:read'] });
    }
    const escaped = encodeURIComponent(`\r\n${FORGED}`);
    await server.anonymous.get(`/v1/probes/${escaped}`, {
      headers: { Authorization: `Bearer ${escaped}` },
    });
    const logger = server.app.get<Logger>(LOGGER);
    logger.warn({ reason: `x\r\n${FORGED}` }, `x\n${FORGED}`);

    const lines = server.log.join('').trimEnd().split('\n');
    expect(lines).toHaveLength(server.log.length);
    const entries = lines.map((line) => JSON.parse(line) as Entry);
    expect(entries.filter(({ event, msg }) => event === 'forged' || msg === 'forged')).toEqual([]);
    expect(entries.every(({ level, time }) => level !== undefined && time !== undefined)).toBe(true);
  });
});
