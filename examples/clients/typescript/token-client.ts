import { ApiError, SignedOutError, urlOf } from './api-error.js';
import { isIdempotent, withRetry } from './retry.js';
import { Tabs } from './tabs.js';
import {
  type Access,
  accessOf,
  askForPair,
  inMemory,
  inOrder,
  isInvalidToken,
  jsonBody,
  type RefreshTokenStore,
  type TokenResponse,
} from './token-pair.js';

export interface TokenClientOptions {
  /** The address of the API, such as `https://api.example.com`. */
  readonly url: string;
  /** `cookie` in a browser of the same site: no script can then read the refresh token. Default: `body`. */
  readonly refreshIn?: 'body' | 'cookie';
  /** For `body`. By default, the refresh token is in memory only. */
  readonly store?: RefreshTokenStore;
  /** Sends the requests, for example to count them. */
  readonly fetch?: typeof fetch;
  /** Another tab can also sign in or out. Load the data of the page again, because the person can be another one. */
  readonly onChange?: (state: 'signed-in' | 'signed-out') => void;
}

/** Calls the API with tokens of one person. It refreshes once for all requests, and once for all tabs in cookie mode. */
export class TokenClient {
  readonly #store: RefreshTokenStore;
  readonly #tabs: Tabs<Access> | undefined;
  #access: Access | undefined;
  #refreshing: Promise<Access> | undefined;
  #isOver = false;
  /** Changes with each sign-in and sign-out. A request of one person is never repeated as another one. */
  #signIn = 0;

  constructor(private readonly options: TokenClientOptions) {
    this.#store = inOrder(options.store ?? inMemory());
    if (options.refreshIn !== 'cookie') return;
    this.#tabs = new Tabs(`token-client ${options.url}`, (message) => {
      if (message.event === 'signed-out') this.#end();
      else if (message.event === 'signed-in') this.#begin(message.access);
      else if (!this.#isOver) this.#access = message.access;
    });
  }

  /**
   * Signs in with `{ email, password }`, `{ passkey }` or, after 401 `mfa-required`, `{ mfaToken, totp }`.
   * @throws ApiError; its `problem` has `mfaToken` and `methods` if a second factor is required
   */
  async signIn(proof: Readonly<Record<string, unknown>>): Promise<void> {
    const { refreshIn = 'body' } = this.options;
    // The second request of a sign-in takes the parameters of the first.
    const init = jsonBody('mfaToken' in proof ? proof : { refreshIn, ...proof });
    const startedAt = Date.now();
    const post = () => withRetry(() => this.#fetch('/v1/tokens', init), true);
    const response = await (this.#tabs ? this.#tabs.alone(post) : post());
    if (!response.ok) throw await ApiError.of(response);
    const pair = (await response.json()) as TokenResponse;
    this.#signIn += 1;
    const access = await this.#take(pair, startedAt);
    this.#begin(access);
    this.#tabs?.tell({ event: 'signed-in', access });
  }

  /** After a start or a reload: whether the stored refresh token or the cookie still works. */
  async resume(): Promise<boolean> {
    try {
      await this.#current(undefined, this.#signIn);
      return true;
    } catch (error) {
      if (error instanceof SignedOutError) return false;
      throw error;
    }
  }

  /** Like `fetch`, for a path of the API. @throws SignedOutError */
  async fetch(path: string, init: RequestInit = {}): Promise<Response> {
    const signIn = this.#signIn;
    const access = await this.#current(undefined, signIn);
    const response = await this.#send(path, init, access);
    if (!isInvalidToken(response)) return response;
    await response.body?.cancel();
    return this.#send(path, init, await this.#current(access, signIn));
  }

  /** Ends the sign-in on the server. If this fails, the person is still signed in. */
  async signOut(): Promise<void> {
    try {
      const response = await this.fetch('/v1/sessions/current', { method: 'DELETE' });
      if (response.status !== 401 && !response.ok) throw await ApiError.of(response);
    } catch (error) {
      if (!(error instanceof SignedOutError)) throw error;
    }
    await this.#forget();
  }

  /** Releases what it shares with other tabs. */
  close(): void {
    this.#tabs?.close();
  }

  /** An access token that still works, and not the `refused` one. All requests that need a new one share one refresh. */
  #current(refused: Access | undefined, signIn: number): Promise<Access> {
    if (this.#isOver || signIn !== this.#signIn) return Promise.reject(new SignedOutError());
    const access = this.#access;
    if (access && access !== refused && Date.now() < access.refreshAt) return Promise.resolve(access);
    if (this.#refreshing) return this.#refreshing;
    const refreshing = this.#refreshOnce(access, signIn).finally(() => {
      if (this.#refreshing === refreshing) this.#refreshing = undefined;
    });
    return (this.#refreshing = refreshing);
  }

  #refreshOnce(old: Access | undefined, signIn: number): Promise<Access> {
    const refresh = () => this.#refresh(signIn);
    const newer = () => (signIn === this.#signIn && this.#access !== old ? this.#access : undefined);
    return this.#tabs ? this.#tabs.once(refresh, newer) : refresh();
  }

  async #refresh(signIn: number): Promise<Access> {
    const refreshToken = this.#tabs ? undefined : await this.#store.read();
    if (signIn !== this.#signIn || (!this.#tabs && !refreshToken)) throw new SignedOutError();
    const startedAt = Date.now();
    const { url, fetch } = this.options;
    const init = { ...jsonBody({ refreshToken }), credentials: this.credentials };
    const response = await askForPair(url, init, fetch);
    if (signIn !== this.#signIn) throw new SignedOutError();
    if (response.status === 401) {
      await this.#forget();
      throw new SignedOutError();
    }
    if (!response.ok) throw await ApiError.of(response);
    const access = await this.#take((await response.json()) as TokenResponse, startedAt);
    if (signIn !== this.#signIn) throw new SignedOutError();
    this.#access = access;
    this.#tabs?.tell({ event: 'refreshed', access });
    return access;
  }

  /** Stores the refresh token before anything uses the pair. */
  async #take(pair: TokenResponse, startedAt: number): Promise<Access> {
    if (!this.#tabs) await this.#store.write(pair.refresh_token);
    return accessOf(pair, startedAt);
  }

  #send(path: string, init: RequestInit, { token }: Access): Promise<Response> {
    const headers = new Headers(init.headers);
    headers.set('Authorization', `Bearer ${token}`);
    const send = () => this.#fetch(path, { ...init, headers });
    return withRetry(send, isIdempotent(init.method), init.signal);
  }

  #fetch(path: string, init: RequestInit): Promise<Response> {
    const { url, fetch: send = fetch } = this.options;
    return send(urlOf(url, path), { ...init, credentials: this.credentials, redirect: 'error' });
  }

  /** Cookies only if one of them is the refresh token. The server refuses a refresh token in the body beside the cookie. */
  private get credentials(): 'include' | 'omit' {
    return this.#tabs ? 'include' : 'omit';
  }

  async #forget(): Promise<void> {
    if (this.#tabs) this.#tabs.tell({ event: 'signed-out' });
    else await this.#store.write(undefined);
    this.#end();
  }

  #begin(access: Access): void {
    this.#signIn += 1;
    this.#isOver = false;
    this.#access = access;
    this.#refreshing = undefined;
    this.options.onChange?.('signed-in');
  }

  #end(): void {
    if (this.#isOver) return;
    this.#signIn += 1;
    this.#isOver = true;
    this.#access = undefined;
    this.options.onChange?.('signed-out');
  }
}
