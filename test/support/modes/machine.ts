import { Client } from '../client.js';
import { basic, postForm } from '../form.js';
import { expectStatus, type Owner } from '../person.js';
import { apiKeyOf, type KeyClient } from './api-key.js';
import { claimsOf } from './jwt.js';

/** A client whose credential is a JWT that a key was exchanged for. */
export class MachineClient extends Client {
  accessToken: string;
  /** The claims of the JWT. */
  claims: Record<string, any>;
  key: KeyClient;
}

/** A token for a key, by the grant client_credentials. `fields` are others of POST /oauth/token, such as `scope`. */
export async function exchange(key: KeyClient, fields: Record<string, string> = {}): Promise<MachineClient> {
  const { url, secrets } = key;
  const form = { grant_type: 'client_credentials', ...fields };
  const answer = await postForm(new Client(url, secrets), '/oauth/token', form, basic(key.id, key.key));
  const accessToken: string = expectStatus(answer, 200).body.access_token;
  const client = new MachineClient(url, secrets, { Authorization: `Bearer ${accessToken}` });
  return Object.assign(client, { accessToken, claims: claimsOf(accessToken), key });
}

/** A machine's JWT, with all the scopes of a key that is made for it. */
export async function machineOf(
  owner: Owner,
  scopes: string[],
  options: Record<string, unknown> = {},
): Promise<MachineClient> {
  return exchange(await apiKeyOf(owner, scopes, options));
}
