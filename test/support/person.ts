import { type Answer, Client } from './client.js';
import { basic, postForm } from './form.js';
import type { SecretKeeper } from './secret-keeper.js';

/** A person with a password, who can sign in by any mode. */
export class Person {
  constructor(
    private readonly url: string,
    private readonly secrets: SecretKeeper,
    readonly id: string,
    readonly email: string,
    public password: string,
  ) {}

  /** Signed in by cookie. */
  async session(): Promise<SessionClient> {
    const answer = await this.#anonymous().post('/v1/sessions', {
      email: this.email,
      password: this.password,
    });
    return SessionClient.from(this.url, this.secrets, answer);
  }

  /** Signed in by token. `options` are fields of POST /v1/tokens, such as `scope`. */
  async jwt(options: Record<string, unknown> = {}): Promise<TokenClient> {
    const answer = await this.#anonymous().post('/v1/tokens', {
      email: this.email,
      password: this.password,
      ...options,
    });
    return TokenClient.from(this.url, this.secrets, answer);
  }

  /** Signed in by opaque token. `options` are fields of POST /v1/tokens, such as `scope`. */
  async opaque(options: Record<string, unknown> = {}): Promise<OpaqueClient> {
    const answer = await this.#anonymous().post('/v1/tokens', {
      email: this.email,
      password: this.password,
      format: 'opaque',
      ...options,
    });
    return OpaqueClient.from(this.url, this.secrets, answer);
  }

  /** A key with these scopes. `options` are fields of POST /v1/api-keys, such as `expiresAt`. */
  async apiKey(scopes: string[], options: Record<string, unknown> = {}): Promise<KeyClient> {
    const session = await this.session();
    const answer = await session.post('/v1/api-keys', { name: 'A test', scopes, ...options });
    return KeyClient.from(this.url, this.secrets, answer);
  }

  /** A machine's JWT, with all the scopes of a key that is made for it. */
  async machine(scopes: string[], options: Record<string, unknown> = {}): Promise<MachineClient> {
    return (await this.apiKey(scopes, options)).exchange();
  }

  #anonymous(): Client {
    return new Client(this.url, this.secrets);
  }
}

const expectStatus = (answer: Answer, status: number): Answer => {
  if (answer.status !== status)
    throw new Error(`expected ${status}, got ${answer.status}: ${JSON.stringify(answer.body)}`);
  return answer;
};

/** A client whose credential is a session cookie. It sends the CSRF token along. */
export class SessionClient extends Client {
  cookie: string;
  csrfToken: string;
  /** The id of the sign-in. */
  signInId: string;

  static from(url: string, secrets: SecretKeeper, answer: Answer): SessionClient {
    expectStatus(answer, 201);
    const cookie = answer.cookies['__Host-session']!;
    const { csrfToken, session } = answer.body;
    const client = new SessionClient(url, secrets, {
      Cookie: `__Host-session=${cookie}`,
      'X-CSRF-Token': csrfToken,
    });
    return Object.assign(client, { cookie, csrfToken, signInId: session.id });
  }
}

const claimsOf = (token: string) =>
  JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString()) as Record<string, any>;

/** A client whose credential is a JWT. */
export class TokenClient extends Client {
  accessToken: string;
  refreshToken: string;
  /** The claims of the JWT. */
  claims: Record<string, any>;

  static from(url: string, secrets: SecretKeeper, answer: Answer): TokenClient {
    expectStatus(answer, 201);
    const accessToken: string = answer.body.access_token;
    const claims = claimsOf(accessToken);
    const client = new TokenClient(url, secrets, { Authorization: `Bearer ${accessToken}` });
    return Object.assign(client, { accessToken, refreshToken: answer.body.refresh_token, claims });
  }
}

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

/** A client whose credential is a JWT that a key was exchanged for. */
export class MachineClient extends Client {
  accessToken: string;
  /** The claims of the JWT. */
  claims: Record<string, any>;
  key: KeyClient;
}

/** A client whose credential is an API key. */
export class KeyClient extends Client {
  id: string;
  key: string;

  static from(url: string, secrets: SecretKeeper, answer: Answer): KeyClient {
    expectStatus(answer, 201);
    const { id, key } = answer.body;
    return Object.assign(new KeyClient(url, secrets, { 'X-API-Key': key }), { id, key });
  }

  /** A token for the key, by the grant client_credentials. `fields` are others of POST /oauth/token, such as `scope`. */
  async exchange(fields: Record<string, string> = {}): Promise<MachineClient> {
    const anonymous = new Client(this.url, this.secrets);
    const form = { grant_type: 'client_credentials', ...fields };
    const answer = await postForm(anonymous, '/oauth/token', form, basic(this.id, this.key));
    const accessToken: string = expectStatus(answer, 200).body.access_token;
    const client = new MachineClient(this.url, this.secrets, { Authorization: `Bearer ${accessToken}` });
    return Object.assign(client, { accessToken, claims: claimsOf(accessToken), key: this });
  }
}
