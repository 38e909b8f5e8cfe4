import { Client } from './client.js';
import type { Seed } from './seed.js';

/** A kind of request. */
export interface Scenario {
  readonly name: string;
  readonly server: 'bare' | 'warm' | 'cold';
  readonly path: string;
  readonly header: string;
  readonly credentials: readonly string[];
}

/** A warm credential is in the memory of the node. A cold one is new to it. */
const WARM = 100;
/** More than the JWTs that a node remembers, so that each is verified again. */
export const COLD_JWTS = 3_000;
const WHOAMI = '/v1/whoami';
const LIVE = '/health/live';

/** Gets JWTs by refreshing one sign-in, and by exchanging keys. */
async function jwtsOf(
  url: string,
  { email, password, keys }: Seed,
): Promise<{ jwts: string[]; machine: string[] }> {
  const client = new Client(url);
  const jwts: string[] = [];
  let { access_token, refresh_token } = await client.post('/v1/tokens', { email, password });
  for (let i = 0; i < COLD_JWTS; i += 1) {
    jwts.push(access_token!);
    ({ access_token, refresh_token } = await client.post('/v1/tokens/refresh', {
      refreshToken: refresh_token,
    }));
  }
  const machine: string[] = [];
  // Each key once: the exchanges of a key are limited.
  for (const { id, text } of keys.slice(0, COLD_JWTS))
    machine.push((await client.exchange(id, text)).access_token!);
  return { jwts, machine };
}

export async function scenariosOf(url: string, seed: Seed): Promise<Scenario[]> {
  const { jwts, machine } = await jwtsOf(url, seed);
  const kinds = [
    { name: 'session', header: 'Cookie', all: seed.sessions.map((secret) => `__Host-session=${secret}`) },
    {
      name: 'opaque token',
      header: 'Authorization',
      all: seed.opaqueTokens.map((token) => `Bearer ${token}`),
    },
    { name: 'API key', header: 'X-API-Key', all: seed.keys.map(({ text }) => text) },
    { name: 'JWT', header: 'Authorization', all: jwts.map((token) => `Bearer ${token}`) },
    { name: "key's JWT", header: 'Authorization', all: machine.map((token) => `Bearer ${token}`) },
  ];
  const none = { header: 'X-None', credentials: [] };
  return [
    { name: 'Nest on Fastify, bare', server: 'bare', path: LIVE, ...none },
    { name: 'public route', server: 'warm', path: LIVE, ...none },
    ...(['warm', 'cold'] as const).flatMap((server) =>
      kinds.map(({ name, header, all }) => {
        const credentials = server === 'warm' ? all.slice(0, WARM) : all;
        return { name: `${name}, ${server}`, server, path: WHOAMI, header, credentials };
      }),
    ),
  ];
}
