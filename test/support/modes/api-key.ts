import { type Answer, Client } from '../client.js';
import { expectStatus, type Owner } from '../person.js';
import type { IssuedKeys } from '../probe/issued-keys.js';
import type { SecretKeeper } from '../secret-keeper.js';

/** A client whose credential is an API key. */
export class KeyClient extends Client {
  constructor(
    url: string,
    secrets: SecretKeeper,
    readonly id: string,
    readonly key: string,
  ) {
    super(url, secrets, { 'X-API-Key': key });
  }

  /** @param answer to POST /v1/api-keys */
  static from(url: string, secrets: SecretKeeper, answer: Answer): KeyClient {
    const { id, key } = expectStatus(answer, 201).body;
    return new KeyClient(url, secrets, id, key);
  }
}

/** A key with these scopes. `options` are fields of POST /v1/api-keys, such as `expiresAt`. */
export async function apiKeyOf(
  { server, named, url, secrets }: Owner,
  scopes: string[],
  options: Record<string, unknown> = {},
): Promise<KeyClient> {
  const keys = server.provider<IssuedKeys>('IssuedKeys');
  const body = JSON.stringify({ name: 'A test', scopes, ...options });
  const { id, key } = await keys.issue(named, body);
  secrets.keep(key);
  return new KeyClient(url, secrets, id, key);
}
