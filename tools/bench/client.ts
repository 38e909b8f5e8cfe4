const PROXY = { 'X-Forwarded-Proto': 'https', 'X-Forwarded-For': '192.0.2.1' };

interface Tokens {
  readonly access_token?: string;
  readonly refresh_token?: string;
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
