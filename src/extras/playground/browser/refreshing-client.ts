import { accepted, type Client } from './client.js';

/** The token response (RFC 6749 section 5.1). */
export interface TokenResponse {
  readonly access_token: string;
  readonly expires_in: number;
}

/** A message to the other tabs. */
interface Refreshed {
  readonly token: string;
  /** The token that it replaces. */
  readonly instead: string | undefined;
}

export type Outcome = { readonly token: string; readonly from: 'server' | 'another client' };

const NAME = 'refresh';

/**
 * The access token of a sign-in whose refresh token is in a cookie. All tabs have the same cookie, and it works once. With
 * `coordinated`, one tab at a time refreshes (Web Locks), and the others take its token (BroadcastChannel). Nothing is stored.
 */
export class RefreshingClient {
  readonly #channel = new BroadcastChannel(NAME);
  #running: Promise<Outcome> | undefined;
  #outside: string | undefined;

  /** @param token the current access token, if there is one */
  constructor(
    private readonly api: Client,
    private readonly coordinated: boolean,
    public token?: string,
  ) {
    this.#channel.addEventListener('message', ({ data }: MessageEvent<Refreshed>) => {
      // Another sign-in is none of ours. A new tab has no token, and takes any.
      if (this.token === undefined || data.instead === this.token) this.#outside = data.token;
    });
  }

  /** Parallel calls share one refresh. @throws RefusedError if the sign-in has ended */
  refresh(): Promise<Outcome> {
    this.#running ??= this.#refresh().finally(() => (this.#running = undefined));
    return this.#running;
  }

  close(): void {
    this.#channel.close();
  }

  async #refresh(): Promise<Outcome> {
    if (!this.coordinated) return this.#ask();
    return navigator.locks.request(NAME, () => this.#takeOrAsk());
  }

  async #takeOrAsk(): Promise<Outcome> {
    // The message of the client before can be on its way.
    await new Promise((resolve) => setTimeout(resolve));
    if (this.#outside === undefined) return this.#ask();
    this.token = this.#outside;
    this.#outside = undefined;
    return { token: this.token, from: 'another client' };
  }

  async #ask(): Promise<Outcome> {
    const instead = this.token;
    const { body } = accepted(
      await this.api.send<TokenResponse>({ method: 'POST', path: 'v1/tokens/refresh', cookies: true }),
    );
    this.token = body.access_token;
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a channel has only this origin
    if (this.coordinated) this.#channel.postMessage({ token: this.token, instead } satisfies Refreshed);
    return { token: this.token, from: 'server' };
  }
}
