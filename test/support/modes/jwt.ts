import { type Answer, Client } from '../client.js';
import { expectStatus, type Person } from '../person.js';
import type { SecretKeeper } from '../secret-keeper.js';

/** The claims of a JWT. Its signature is not checked. */
export const claimsOf = (token: string) =>
  JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString()) as Record<string, any>;

/** A client whose credential is a JWT. */
export class TokenClient extends Client {
  accessToken: string;
  refreshToken: string;
  claims: Record<string, any>;

  static from(url: string, secrets: SecretKeeper, answer: Answer): TokenClient {
    expectStatus(answer, 201);
    const accessToken: string = answer.body.access_token;
    const client = new TokenClient(url, secrets, { Authorization: `Bearer ${accessToken}` });
    const claims = claimsOf(accessToken);
    return Object.assign(client, { accessToken, refreshToken: answer.body.refresh_token, claims });
  }
}

/** Signs a person in by token. `options` are fields of POST /v1/tokens, such as `scope`. */
export async function jwtOf(
  { url, secrets, email, password, anonymous }: Person,
  options: Record<string, unknown> = {},
): Promise<TokenClient> {
  return TokenClient.from(url, secrets, await anonymous.post('/v1/tokens', { email, password, ...options }));
}
