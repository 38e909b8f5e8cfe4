import type { Answer, Call } from './client.js';
import type { Credential, Desk, Fact, HeaderLine, Lane } from './credential.js';

interface SessionCreated {
  readonly session: { readonly id: string; readonly expiresAt: string };
  readonly csrfToken: string;
}

const SAFE = new Set(['GET', 'HEAD', 'OPTIONS']);
/** 256 bits in base64url. */
const SECRET_LENGTH = 43;
const COOKIE = '__Host-session=';

/** The browser has the secret, and this object the CSRF token. */
class Session implements Credential {
  readonly since = Date.now();

  constructor(
    private readonly desk: Desk,
    private created: SessionCreated,
  ) {}

  lines = (): readonly HeaderLine[] => [
    {
      name: 'Cookie',
      value: `${COOKIE}(${SECRET_LENGTH} characters that no script can read)`,
      length: COOKIE.length + SECRET_LENGTH,
    },
    { name: 'X-CSRF-Token', value: this.created.csrfToken, when: 'only with a write' },
  ];

  facts = (): readonly Fact[] => [
    ['Attributes', 'HttpOnly; Secure; SameSite=Lax; Path=/'],
    ['document.cookie', document.cookie || '(empty)'],
    ['Expires', new Date(this.created.session.expiresAt).toLocaleString()],
  ];

  send<Body>({ method = 'GET', headers, ...call }: Call): Promise<Answer<Body>> {
    const csrf = SAFE.has(method) ? undefined : { 'X-CSRF-Token': this.created.csrfToken };
    return this.desk.api.send<Body>({ ...call, method, headers: { ...headers, ...csrf }, cookies: true });
  }

  end(by?: Credential): Promise<Answer> {
    return by
      ? by.send({ method: 'DELETE', path: `v1/sessions/${this.created.session.id}` })
      : this.send({ method: 'DELETE', path: 'v1/sessions/current' });
  }

  adopt(renewed: object): void {
    this.created = { ...this.created, ...renewed };
  }
}

export const sessionLane: Lane = {
  id: 'session',
  person: true,
  cookies: true,
  get: async (desk) => new Session(desk, await desk.account.signIn<SessionCreated>('v1/sessions', {}, true)),
};
