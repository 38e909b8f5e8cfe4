const PROXY = { 'X-Forwarded-Proto': 'https', 'X-Forwarded-For': '192.0.2.1' };

interface Tokens {
  readonly access_token?: string;
  readonly refresh_token?: string;
}

interface SignedIn {
  readonly cookie: string;
  readonly csrfToken: string;
}

/** Calls the server as a proxy that ends TLS does. */
export class Client {
  constructor(private readonly url: string) {}

  post(path: string, body: object): Promise<Tokens> {
    return this.#send(path, { 'Content-Type': 'application/json' }, JSON.stringify(body));
  }

  /** Exchanges an API key for a JWT. */
  exchange(id: string, key: string): Promise<Tokens> {
    const headers = { Authorization: `Basic ${Buffer.from(`${id}:${key}`).toString('base64')}` };
    return this.#send('/oauth/token', headers, new URLSearchParams({ grant_type: 'client_credentials' }));
  }

  /** Signs in with a cookie. */
  async signIn(email: string, password: string): Promise<SignedIn> {
    const headers = { ...PROXY, 'Content-Type': 'application/json' };
    const body = JSON.stringify({ email, password });
    const answer = await fetch(`${this.url}/v1/sessions`, { method: 'POST', headers, body });
    if (!answer.ok) throw new Error(`signing in answered ${answer.status}: ${await answer.text()}`);
    const cookie = answer.headers.getSetCookie().find((one) => one.startsWith('__Host-session='))!;
    const { csrfToken } = (await answer.json()) as { csrfToken: string };
    return { cookie: cookie.split(';', 1)[0]!, csrfToken };
  }

  async signOut({ cookie, csrfToken }: SignedIn): Promise<void> {
    const headers = { ...PROXY, Cookie: cookie, 'X-CSRF-Token': csrfToken };
    const answer = await fetch(`${this.url}/v1/sessions/current`, { method: 'DELETE', headers });
    if (!answer.ok) throw new Error(`signing out answered ${answer.status}: ${await answer.text()}`);
  }

  async statusOf(path: string, headers: Record<string, string>): Promise<number> {
    return (await fetch(this.url + path, { headers: { ...PROXY, ...headers } })).status;
  }

  async #send(
    path: string,
    headers: Record<string, string>,
    body: string | URLSearchParams,
  ): Promise<Tokens> {
    const answer = await fetch(this.url + path, { method: 'POST', headers: { ...PROXY, ...headers }, body });
    if (!answer.ok) throw new Error(`${path} answered ${answer.status}: ${await answer.text()}`);
    return (await answer.json()) as Tokens;
  }
}
