import { beforeAll, describe, expect, it } from '@jest/globals';
import { Controller, Get, Module, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { Public } from '../../../src/auth/authenticated.decorator.js';
import type { Client } from '../../support/client.js';
import { type InProcessOptions, InProcessServer } from '../../support/in-process.js';
import { signIns } from '../../support/modes/any.js';
// room: own-api-keys
import { apiKeyOf, type KeyClient } from '../../support/modes/api-key.js';
// /room
import type { Person } from '../../support/person.js';
import { send } from '../../support/raw-http.js';
import { PASSWORD, useStarted } from '../../support/server.js';

const HTTPS_REQUIRED = { status: 403, problem: 'https-required' };
const HTTPS = { 'X-Forwarded-Proto': 'https' };

@Controller('host')
class HostController {
  @Get()
  @Public()
  host(@Req() { host }: FastifyRequest): object {
    return { host };
  }
}

@Module({ controllers: [HostController] })
class HostModule {}

const production = (trusted: string): InProcessOptions => ({
  modules: [HostModule],
  env: { NODE_ENV: 'production', ISSUER: 'https://auth.example.com', TRUSTED_PROXIES: trusted },
});

const kind = signIns[0]!;
const signIn = (
  client: Client,
  { email, password }: Pick<Person, 'email' | 'password'>,
  headers: Record<string, string>,
) => client.post(kind.path, { email, password, ...kind.fields }, { headers });

describe('in production behind a trusted proxy', () => {
  const context = useStarted(() => InProcessServer.start(production('127.0.0.1/32')));
  let ada: Person;
  let client: Client;
  // room: own-api-keys
  let key: KeyClient;
  // /room
  beforeAll(async () => {
    const { server } = context;
    // Not registered: that needs https.
    ada = await server.administrator();
    client = kind.from(server.url, server.secrets, await signIn(server.anonymous, ada, HTTPS));
    // room: own-api-keys
    key = await apiKeyOf(ada, ['profile:read']);
    // /room
  });

  it('sends HSTS on every answer', async () => {
    for (const path of ['/health/live', '/v1/users/me', '/nowhere']) {
      const { headers } = await context.server.anonymous.get(path, { headers: HTTPS });
      expect(headers.get('strict-transport-security')).toBe('max-age=31536000; includeSubDomains');
    }
  });

  it('accepts a credential over https, as the proxy says', async () => {
    expect((await client.get('/v1/probes/principal', { headers: HTTPS })).status).toBe(200);
    // room: own-api-keys
    expect((await key.get('/v1/probes/principal', { headers: HTTPS })).status).toBe(200);
    // /room
  });

  it.each<[string, Record<string, string>]>([
    ['no word of the proxy', {}],
    ['http', { 'X-Forwarded-Proto': 'http' }],
    ['https from whoever was before the proxy', { 'X-Forwarded-Proto': 'https, http' }],
  ])('[V4.1.2] refuses a credential over plain http: %s', async (_what, plain) => {
    const { anonymous } = context.server;
    const refused = [
      await client.get('/v1/probes/principal', { headers: plain }),
      // room: own-api-keys
      await key.get('/v1/probes/principal', { headers: plain }),
      // /room
      // room: tokens
      await anonymous.get('/v1/probes/principal', { headers: { ...plain, Authorization: 'Bearer x' } }),
      // /room
      await signIn(anonymous, ada, plain),
    ];
    for (const answer of refused) {
      expect(answer).toMatchObject({ ...HTTPS_REQUIRED, cookieNames: [] });
      expect(answer.headers.get('location')).toBeNull();
    }
  });

  it('[V12.2.1] refuses every secret that is posted over plain http', async () => {
    const { anonymous } = context.server;
    const body = { email: 'new@example.com', password: PASSWORD };
    expect(await anonymous.post('/v1/users', body)).toMatchObject(HTTPS_REQUIRED);
    for (const { path } of signIns) expect(await anonymous.post(path, body)).toMatchObject(HTTPS_REQUIRED);
    expect(await anonymous.put('/v1/email-verifications', { token: 'x' })).toMatchObject(HTTPS_REQUIRED);
    // room: tokens
    expect(await anonymous.post('/v1/tokens/refresh', { refreshToken: 'x' })).toMatchObject(HTTPS_REQUIRED);
    // /room
  });

  it('answers requests without a secret over plain http', async () => {
    expect((await context.server.anonymous.get('/health/live')).status).toBe(200);
    expect(await context.server.anonymous.get('/v1/users/me')).toMatchObject({
      status: 401,
      problem: 'credential-required',
    });
  });

  /** The address of a client that signs in. */
  const seenFrom = async (headers: Record<string, string>) => {
    const { url, secrets, anonymous } = context.server;
    const signedIn = kind.from(url, secrets, await signIn(anonymous, ada, headers));
    return (await signedIn.get('/v1/sessions/current', { headers: HTTPS })).body.ip;
  };

  it('[V15.3.4] reads the address of the client from the proxy, and not from the client', async () => {
    const { server } = context;
    const headers = { ...HTTPS, 'X-Forwarded-For': '198.51.100.66, 203.0.113.9' };
    expect(await seenFrom(headers)).toBe('203.0.113.9');
    expect(server.entries().findLast(({ event }) => event === 'sign-in.succeeded')).toMatchObject({
      ip: '203.0.113.9',
    });
  });

  it('reads addresses that the proxy writes with a port', async () => {
    for (const [written, ip] of [
      ['203.0.113.9:51234', '203.0.113.9'],
      ['198.51.100.66:1, 203.0.113.9:51234', '203.0.113.9'],
      ['[2001:db8::9]:51234', '2001:db8::9'],
      ['2001:db8::9', '2001:db8::9'],
    ] as const) {
      const headers = { ...HTTPS, 'X-Forwarded-For': written };
      expect(await seenFrom(headers)).toBe(ip);
    }
  });

  it('logs once that it cannot read an address, without the address', async () => {
    const told = () =>
      context.server
        .entries()
        .filter(({ msg }) => String(msg).startsWith('X-Forwarded-For of a trusted proxy'));
    expect(told()).toEqual([]);
    // What the client itself wrote, left of its address, is not read.
    await signIn(context.server.anonymous, ada, { ...HTTPS, 'X-Forwarded-For': 'junk, 203.0.113.9' });
    expect(told()).toEqual([]);
    for (const written of ['203.0.113.9, hidden-7f3a', 'hidden-7f3a', '10.0.0.1;hidden-7f3a']) {
      const headers = { ...HTTPS, 'X-Forwarded-For': written };
      expect(await seenFrom(headers)).toBe('unknown');
    }
    expect(told()).toMatchObject([{ level: 'warn' }]);
    expect(context.server.log.join('')).not.toContain('hidden-7f3a');
  });

  it('never reads X-Forwarded-Host', async () => {
    const headers = { ...HTTPS, 'X-Forwarded-Host': 'evil.example' };
    const answer = await context.server.anonymous.get('/host', { headers });
    expect(answer.body).toEqual({ host: new URL(context.server.url).host });
  });

  // room: sessions
  describe('POST /v1/sessions', () => {
    const post = (headers: Record<string, string>) =>
      context.server.anonymous.post('/v1/sessions', { email: ada.email, password: PASSWORD }, { headers });

    it('accepts an Origin with the scheme, host and port of the request', async () => {
      const { host } = new URL(context.server.url);
      const statusWith = async (headers: Record<string, string>) => (await post(headers)).status;
      expect(await statusWith({ ...HTTPS, Origin: `https://${host}` })).toBe(201);
      expect(await statusWith({ ...HTTPS, Origin: `http://${host}` })).toBe(403);
      expect(await statusWith({ ...HTTPS, Origin: 'https://127.0.0.1' })).toBe(403);
      expect(await statusWith({ 'X-Forwarded-Proto': 'data', Origin: 'null' })).toBe(403);
      const sent = { email: ada.email, password: PASSWORD };
      const onDefaultPort = (Host: string, Origin: string) =>
        send(context.server.url, 'POST', '/v1/sessions', {
          headers: { ...HTTPS, Host, Origin, 'Content-Type': 'application/json' },
          body: JSON.stringify(sent),
        });
      for (const Host of ['auth.example.com', 'auth.example.com:443', 'AUTH.example.com:443'])
        expect([Host, (await onDefaultPort(Host, 'https://auth.example.com')).status]).toEqual([Host, 201]);
      expect((await onDefaultPort('auth.example.com:80', 'https://auth.example.com')).status).toBe(403);
    });

    it('compares an Origin with the host of the request, and not with X-Forwarded-Host', async () => {
      const headers = { ...HTTPS, Origin: 'https://evil.example', 'X-Forwarded-Host': 'evil.example' };
      expect(await post(headers)).toMatchObject({
        status: 403,
        problem: 'csrf',
      });
    });
  });
  // /room

  // room: own-api-keys
  it('names its keys nk_live_', () => {
    expect(key.key).toMatch(/^nk_live_/);
  });
  // /room

  it('requires a confirmed address', async () => {
    const { server } = context;
    const eve = { email: 'eve@example.com', password: PASSWORD };
    await server.anonymous.post('/v1/users', eve, { headers: HTTPS });
    expect((await signIn(server.anonymous, eve, HTTPS)).status).toBe(401);
    const token = await server.mailedToken(eve.email);
    await server.anonymous.put('/v1/email-verifications', { token }, { headers: HTTPS });
    expect((await signIn(server.anonymous, eve, HTTPS)).status).toBe(201);
  });
});

describe('in production behind a peer that is not trusted', () => {
  const context = useStarted(() => InProcessServer.start(production('10.0.0.0/8')));

  it('[V4.1.3] [RFC 9700 4.13] ignores the forwarding headers of the peer', async () => {
    const { server } = context;
    const ada = await server.administrator();
    const headers = { ...HTTPS, 'X-Forwarded-For': '10.0.0.1', Forwarded: 'for=10.0.0.1;proto=https' };
    expect(await signIn(server.anonymous, ada, headers)).toMatchObject(HTTPS_REQUIRED);
    expect(server.entries().findLast(({ event }) => event === 'request.refused')).toMatchObject({
      problem: 'https-required',
      ip: '127.0.0.1',
    });
  });
});
