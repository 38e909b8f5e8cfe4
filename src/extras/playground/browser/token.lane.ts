import type { Answer, Call } from './client.js';
import type { Credential, Desk, Fact, HeaderLine, Lane, TokenResponse } from './credential.js';

/** Describes a token, for people. */
export type Describe = (token: string) => readonly Fact[];

/** A bearer token. */
export class BearerToken implements Credential {
  readonly since = Date.now();
  readonly expiresAt: Date;

  constructor(
    protected readonly desk: Desk,
    protected response: TokenResponse,
    private readonly describe: Describe,
  ) {
    this.expiresAt = new Date(this.since + response.expires_in * 1000);
  }

  get token(): string {
    return this.response.access_token;
  }

  lines = (): readonly HeaderLine[] => [{ name: 'Authorization', value: `Bearer ${this.token}` }];

  facts = (): readonly Fact[] => [
    ...this.describe(this.token),
    [
      'Expires',
      `${this.expiresAt.toLocaleTimeString()}, ${this.response.expires_in} seconds after its issue`,
    ],
  ];

  send<Body>({ headers, ...call }: Call): Promise<Answer<Body>> {
    return this.desk.api.send<Body>({
      ...call,
      headers: { ...headers, Authorization: `Bearer ${this.token}` },
    });
  }

  async end(by?: Credential): Promise<Answer> {
    if (!by) return this.send({ method: 'DELETE', path: 'v1/sessions/current' });
    const { body } = await this.send<{ id: string }>({ path: 'v1/sessions/current' });
    return by.send({ method: 'DELETE', path: `v1/sessions/${body.id}` });
  }

  adopt(renewed: object): void {
    this.response = { ...this.response, ...renewed };
  }
}

/** A lane whose token comes with a sign-in. The refresh token of the answer is not kept. */
export const signInLane = (id: string, format: string, describe: Describe): Lane => ({
  id,
  person: true,
  cookies: false,
  get: async (desk) => {
    const answer = await desk.account.signIn<TokenResponse>('v1/tokens', { format }, false);
    return new BearerToken(desk, answer, describe);
  },
});
