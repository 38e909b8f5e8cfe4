import pg from 'pg';
import { v7 as uuidv7 } from 'uuid';
import { makeKey } from '../../src/modes/api-keys/api-key.format.js';
import { PasswordHasher } from '../../src/platform/crypto/password-hasher.js';
import { Secret } from '../../src/platform/crypto/secret.js';

const BATCH = 2_000;
const PASSWORD = 'correct horse battery staple';
const SCOPES = ['profile:read'];

/** Credentials of people that are in the database, of each kind as many. */
export interface Seed {
  /** Of some people. All have the same password. */
  readonly emails: string[];
  readonly password: string;
  /** Values of the cookie. */
  readonly sessions: string[];
  readonly opaqueTokens: string[];
  readonly keys: { readonly id: string; readonly text: string }[];
}

const PEOPLE = `
  WITH new AS (SELECT unnest($1::uuid[]) AS id),
    subject AS (INSERT INTO subjects (id, kind) SELECT id, 'user' FROM new)
  INSERT INTO users (id, email, password_hash, email_verified_at, created_at)
  SELECT id, id || '@example.com', $2, now(), now() FROM new`;
const SIGN_INS = `
  INSERT INTO sign_ins (id, user_id, carrier, amr, ip, auth_time, created_at, last_seen_at, idle_expires_at, expires_at)
  SELECT id, user_id, $3, '{pwd}', '192.0.2.1', now(), now(), now(), now() + interval '1 day', now() + interval '7 days'
  FROM unnest($1::uuid[], $2::uuid[]) AS s (id, user_id)`;
const SESSIONS = `
  INSERT INTO sessions (sign_in_id, secret_hash) SELECT * FROM unnest($1::uuid[], $2::bytea[])`;
const GRANTS = `
  INSERT INTO token_grants (sign_in_id, client_id, scopes, audience, refresh_in, format)
  SELECT unnest($1::uuid[]), 'first-party', $2, $3, 'body', 'opaque'`;
const TOKENS = `
  INSERT INTO access_tokens (token_hash, id, sign_in_id, scopes, audience, client_id, auth_time, issued_at, expires_at)
  SELECT hash, gen_random_uuid(), s.id, $3, $4, 'first-party', s.auth_time, now(), now() + interval '1 day'
  FROM unnest($1::uuid[], $2::bytea[]) AS t (sign_in_id, hash) JOIN sign_ins s ON s.id = t.sign_in_id`;
const KEYS = `
  INSERT INTO api_keys (id, owner_id, name, prefix, last4, key_hash, scopes, lineage_id, created_at, rate_limit_requests)
  SELECT id, owner, 'bench', prefix, last4, hash, $6, id, now(), 100000000
  FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::bytea[]) AS k (id, owner, prefix, last4, hash)`;

/** Writes `count` people, each with a session, an opaque token and an API key. */
export async function seed(url: string, count: number, audience: string): Promise<Seed> {
  const database = new pg.Client({ connectionString: url });
  await database.connect();
  const passwordHash = await new PasswordHasher().hash(PASSWORD);
  const made: Seed = { emails: [], password: PASSWORD, sessions: [], opaqueTokens: [], keys: [] };
  for (let done = 0; done < count; done += BATCH) {
    const ids = () => Array.from({ length: Math.min(BATCH, count - done) }, () => uuidv7());
    const [people, cookies, pairs] = [ids(), ids(), ids()];
    if (done === 0) made.emails.push(...people.map((id) => `${id}@example.com`));
    const sessions = people.map(() => Secret.random());
    const tokens = people.map(() => Secret.random('at_'));
    const keys = people.map(() => makeKey('live'));
    await database.query('BEGIN');
    await database.query(PEOPLE, [people, passwordHash]);
    await database.query(SIGN_INS, [cookies, people, 'cookie']);
    await database.query(SIGN_INS, [pairs, people, 'token']);
    await database.query(SESSIONS, [cookies, sessions.map((secret) => secret.hash())]);
    await database.query(GRANTS, [pairs, SCOPES, audience]);
    await database.query(TOKENS, [pairs, tokens.map((secret) => secret.hash()), SCOPES, audience]);
    const columns = [keys.map(({ id }) => id), people, keys.map(({ prefix }) => prefix)];
    await database.query(KEYS, [
      ...columns,
      keys.map((key) => key.last4),
      keys.map((key) => key.keyHash),
      SCOPES,
    ]);
    await database.query('COMMIT');
    made.sessions.push(...sessions.map((secret) => secret.reveal()));
    made.opaqueTokens.push(...tokens.map((secret) => secret.reveal()));
    made.keys.push(...keys.map(({ id, key }) => ({ id, text: key.reveal() })));
  }
  await database.query('VACUUM ANALYZE');
  await database.end();
  return made;
}
