// What tests of all modes need: the credentials of the modes that this project has. A mode is one entry.
import { type Answer, Client } from '../client.js';
import type { People } from '../people.js';
import type { Person } from '../person.js';
import type { SecretKeeper } from '../secret-keeper.js';
// room: api-keys
import { apiKeyOf } from './api-key.js';
// /room
// room: jwt
import { jwtOf, TokenClient } from './jwt.js';
// /room
// room: oauth
import { machineOf } from './machine.js';
// /room
// room: opaque-tokens
import { OpaqueClient, opaqueOf } from './opaque.js';
// /room
// room: sessions
import { SessionClient, sessionOf } from './session.js';
// /room

/** A way in which a person signs in. */
export interface SignInKind {
  readonly mode: string;
  readonly carrier: 'cookie' | 'token';
  /** Of its challenges. */
  readonly scheme: 'Session' | 'Bearer';
  /** Where a client signs in, and the fields besides `email` and `password`. */
  readonly path: '/v1/sessions' | '/v1/tokens';
  readonly fields: Record<string, unknown>;
  /** @param options fields of POST /v1/tokens, such as `scope`; a session has none */
  of(person: Person, options?: Record<string, unknown>): Promise<Client>;
  /** The client of the answer to a sign-in. */
  from(url: string, secrets: SecretKeeper, answer: Answer): Client;
}

// room: tokens
/** A client with a pair of tokens. */
export interface TokenHolder extends Client {
  readonly accessToken: string;
  readonly refreshToken: string;
}

export interface TokenKind extends SignInKind {
  of(person: Person, options?: Record<string, unknown>): Promise<TokenHolder>;
  from(url: string, secrets: SecretKeeper, answer: Answer): TokenHolder;
}

const BEARER = { carrier: 'token', scheme: 'Bearer', path: '/v1/tokens' } as const;

/** The sign-ins whose scopes a client can choose. */
export const tokens: readonly TokenKind[] = [
  // room: jwt
  { ...BEARER, mode: 'jwt', fields: { format: 'jwt' }, of: jwtOf, from: TokenClient.from },
  // /room
  // room: opaque-tokens
  { ...BEARER, mode: 'opaque', fields: { format: 'opaque' }, of: opaqueOf, from: OpaqueClient.from },
  // /room
];
// /room

/** The ways in which a person can sign in here. Tests that need any of them take the first. */
export const signIns: readonly SignInKind[] = [
  // room: sessions
  {
    mode: 'session',
    carrier: 'cookie',
    scheme: 'Session',
    path: '/v1/sessions',
    fields: {},
    of: (person) => sessionOf(person),
    from: SessionClient.from,
  },
  // /room
  // room: tokens
  ...tokens,
  // /room
];

/** A kind of credential. */
export interface CredentialKind {
  readonly name: string;
  readonly mode: string;
  /** A new credential of a new owner. A session has all scopes of its person, the others only these. */
  of(server: People, scopes?: string[]): Promise<Client>;
}

const PROBES = ['probes:read', 'probes:write'];

/** Every kind of credential that is here. Tests that need any take the first. */
export const credentials: readonly CredentialKind[] = [
  // room: sessions
  { name: 'session', mode: 'session', of: async (server) => sessionOf(await server.person()) },
  // /room
  // room: jwt
  {
    name: 'jwt',
    mode: 'jwt',
    of: async (server, scopes = PROBES) => jwtOf(await server.person(), { scope: scopes.join(' ') }),
  },
  // /room
  // room: opaque-tokens
  {
    name: 'opaque token',
    mode: 'opaque',
    of: async (server, scopes = PROBES) => opaqueOf(await server.person(), { scope: scopes.join(' ') }),
  },
  // /room
  // room: own-api-keys
  {
    name: 'key of a person',
    mode: 'api-key',
    of: async (server, scopes = PROBES) => apiKeyOf(await server.person(), scopes),
  },
  // /room
  // room: service-accounts
  {
    name: 'key of a service',
    mode: 'api-key',
    of: async (server, scopes = PROBES) => apiKeyOf(await server.serviceAccount(), scopes),
  },
  // /room
  // room: oauth, service-accounts
  {
    name: 'jwt of a service',
    mode: 'jwt',
    of: async (server, scopes = PROBES) => machineOf(await server.serviceAccount(), scopes),
  },
  // /room
];

/** The client of a person who has signed in, by any mode. */
export const signIn = (person: Person): Promise<Client> => signIns[0]!.of(person);

/** What an administrator needs here. A token has the scopes of a role only if it names them. */
const ADMINISTRATION = [
  'admin:users',
  'profile:read',
  'account:security',
  'sessions:read',
  'sessions:write',
  // room: own-api-keys
  'api-keys:read',
  'api-keys:write',
  // /room
  // room: service-account-admin
  'admin:service-accounts',
  // /room
  // room: jwt
  'admin:signing-keys',
  // /room
  ...PROBES,
].join(' ');

/** The client of an administrator who has signed in, by any mode unless one is given. */
export const administer = (person: Person, by: SignInKind = signIns[0]!): Promise<Client> =>
  by.of(person, { scope: ADMINISTRATION });

/** A client with any credential. */
export const anyone = (server: People, scopes?: string[]): Promise<Client> =>
  credentials[0]!.of(server, scopes);

/** The id of the sign-in behind a client. */
export const signInIdOf = async (client: Client): Promise<string> =>
  (await client.get('/v1/sessions/current')).body.id;

/** The client with a new access token, if it has a refresh token: an access token expires early. */
export async function refreshed(client: Client): Promise<Client> {
  // room: tokens
  if ('refreshToken' in client) {
    const { url, secrets, refreshToken } = client;
    const { body } = await new Client(url, secrets).post('/v1/tokens/refresh', { refreshToken });
    return new Client(url, secrets, { Authorization: `Bearer ${body.access_token}` });
  }
  // /room
  return client;
}
