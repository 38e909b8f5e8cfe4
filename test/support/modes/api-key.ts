import { type Answer, Client } from '../client.js';
import { expectStatus, type Person } from '../person.js';
import type { SecretKeeper } from '../secret-keeper.js';
import { sessionOf } from './session.js';

/** A client whose credential is an API key. */
export class KeyClient extends Client {
  id: string;
  key: string;

  static from(url: string, secrets: SecretKeeper, answer: Answer): KeyClient {
    const { id, key } = expectStatus(answer, 201).body;
    return Object.assign(new KeyClient(url, secrets, { 'X-API-Key': key }), { id, key });
  }
}

/** A key with these scopes. `options` are fields of POST /v1/api-keys, such as `expiresAt`. */
export async function apiKeyOf(
  owner: Person,
  scopes: string[],
  options: Record<string, unknown> = {},
): Promise<KeyClient> {
  const answer = await (await sessionOf(owner)).post('/v1/api-keys', { name: 'A test', scopes, ...options });
  return KeyClient.from(owner.url, owner.secrets, answer);
}
