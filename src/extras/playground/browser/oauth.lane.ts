import { type Answer } from './client.js';
import type { Desk, Lane, TokenResponse } from './credential.js';
import { describeJwt } from './jwt.lane.js';
import { type ApiKey, makeKey } from './own-api-keys.lane.js';
import { BearerToken } from './token.lane.js';

/** A JWT that the server has issued for a key (RFC 6749 section 4.4). */
class MachineToken extends BearerToken {
  constructor(
    desk: Desk,
    response: TokenResponse,
    private readonly key: ApiKey,
  ) {
    super(desk, response, describeJwt);
  }

  /** RFC 7009: the client that got it revokes it. The key stays. */
  override end(): Promise<Answer> {
    const form = { token: this.token, ...clientOf(this.key) };
    return this.desk.api.send({ method: 'POST', path: 'oauth/revoke', form });
  }
}

const clientOf = ({ id, key }: ApiKey) => ({ client_id: id, client_secret: key });

export const machineLane: Lane = {
  id: 'machine',
  person: false,
  cookies: false,
  get: async (desk) => {
    const key = await makeKey(desk);
    const form = { grant_type: 'client_credentials', ...clientOf(key) };
    const { body } = await desk.api.demand<TokenResponse>({ method: 'POST', path: 'oauth/token', form });
    return new MachineToken(desk, body, key);
  },
};
