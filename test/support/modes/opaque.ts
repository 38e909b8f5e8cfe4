import { type Answer, Client } from '../client.js';
import { expectStatus, type Person } from '../person.js';
import type { SecretKeeper } from '../secret-keeper.js';

/** A client whose credential is an opaque token. */
export class OpaqueClient extends Client {
  accessToken: string;
  refreshToken: string;

  static from(url: string, secrets: SecretKeeper, answer: Answer): OpaqueClient {
    const { access_token: accessToken, refresh_token: refreshToken } = expectStatus(answer, 201).body;
    const client = new OpaqueClient(url, secrets, { Authorization: `Bearer ${accessToken}` });
    return Object.assign(client, { accessToken, refreshToken });
  }
}

/** Signs a person in by opaque token. `options` are fields of POST /v1/tokens, such as `scope`. */
export async function opaqueOf(
  { url, secrets, email, password, anonymous }: Person,
  options: Record<string, unknown> = {},
): Promise<OpaqueClient> {
  const body = { email, password, format: 'opaque', ...options };
  return OpaqueClient.from(url, secrets, await anonymous.post('/v1/tokens', body));
}
