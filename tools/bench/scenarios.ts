import { Client } from './client.js';
import { BARE, PUBLIC } from './report.js';
import type { Seed } from './seed.js';

/** A kind of request. */
export interface Scenario {
  readonly name: string;
  readonly server: 'bare' | 'warm' | 'quiet' | 'plain' | 'cold' | 'redis';
  readonly path: string;
  readonly header: string;
  readonly credentials: readonly string[];
}

/** A warm credential is in the memory of the node. The cold server remembers none. */
const WARM = 100;
const WHOAMI = '/v1/whoami';
const LIVE = '/health/live';
/** Checks the sign-in behind a JWT in each request. Its answer needs a query. */
const REPORT = '/v1/reports/summary';

/** Gets JWTs by refreshing one sign-in, and by exchanging keys. */
async function jwtsOf(
  url: string,
  { emails, password, keys }: Seed,
): Promise<{ jwts: string[]; machine: string[] }> {
  const client = new Client(url);
  const jwts: string[] = [];
  let { access_token, refresh_token } = await client.post('/v1/tokens', {
    email: emails[0],
    password,
  });
  for (let i = 0; i < WARM; i += 1) {
    jwts.push(access_token!);
    ({ access_token, refresh_token } = await client.post('/v1/tokens/refresh', {
      refreshToken: refresh_token,
    }));
  }
  const machine: string[] = [];
  // Each key once: the exchanges of a key are limited.
  for (const { id, text } of keys.slice(0, WARM))
    machine.push((await client.exchange(id, text)).access_token!);
  return { jwts, machine };
}

/** @param urls of a server that signs with ES256, and of one that signs with EdDSA */
export async function scenariosOf(urls: { es256: string; eddsa: string }, seed: Seed): Promise<Scenario[]> {
  const { jwts, machine } = await jwtsOf(urls.es256, seed);
  const { jwts: eddsa } = await jwtsOf(urls.eddsa, { ...seed, emails: [seed.emails[1]!], keys: [] });
  const kinds = [
    { name: 'session', header: 'Cookie', all: seed.sessions.map((secret) => `__Host-session=${secret}`) },
    {
      name: 'opaque token',
      header: 'Authorization',
      all: seed.opaqueTokens.map((token) => `Bearer ${token}`),
    },
    { name: 'API key', header: 'X-API-Key', all: seed.keys.map(({ text }) => text) },
    { name: 'JWT (ES256)', header: 'Authorization', all: jwts.map((token) => `Bearer ${token}`) },
    { name: 'JWT (EdDSA)', header: 'Authorization', all: eddsa.map((token) => `Bearer ${token}`) },
    { name: "key's JWT", header: 'Authorization', all: machine.map((token) => `Bearer ${token}`) },
  ];
  const first = (wanted: string) => {
    const { header, all } = kinds.find(({ name }) => name === wanted)!;
    return { server: 'warm', header, credentials: all.slice(0, WARM) } as const;
  };
  const none = { header: 'X-None', credentials: [] };
  return [
    { name: BARE, server: 'bare', path: LIVE, ...none },
    { name: 'the same answer, bare', server: 'bare', path: WHOAMI, ...none },
    { name: PUBLIC, server: 'warm', path: LIVE, ...none },
    { name: 'public route, no log', server: 'quiet', path: LIVE, ...none },
    { name: 'public route, no headers', server: 'plain', path: LIVE, ...none },
    ...(['warm', 'cold'] as const).flatMap((server) =>
      kinds.map(({ name, header, all }) => {
        const credentials = server === 'warm' ? all.slice(0, WARM) : all;
        return { name: `${name}, ${server}`, server, path: WHOAMI, header, credentials };
      }),
    ),
    { ...first('JWT (ES256)'), name: 'live JWT, a report', path: REPORT },
    { ...first('API key'), name: 'API key, warm, Redis', server: 'redis', path: WHOAMI },
  ];
}
