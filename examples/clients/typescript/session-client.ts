import { ApiError, SignedOutError, urlOf } from './api-error.js';
import { isIdempotent, withRetry } from './retry.js';

export interface SessionClientOptions {
  /** The address of the API. A page of another origin needs an entry in CORS_ORIGINS. */
  readonly url: string;
  /** Node has no cookie jar, so give it a `fetch` with one. */
  readonly fetch?: typeof fetch;
}

const SAFE = new Set(['GET', 'HEAD', 'OPTIONS']);

/** Calls the API with a session cookie, which the browser keeps, and the CSRF token, which is in memory. */
export class SessionClient {
  #csrfToken: string | undefined;
  /** The id of the sign-in, which never changes while it lives. */
  #signInId: string | undefined;

  constructor(private readonly options: SessionClientOptions) {}

  /** @throws ApiError; its `problem` has `mfaToken` and `methods` if a second factor is required */
  async signIn(proof: Readonly<Record<string, unknown>>): Promise<void> {
    const headers = { 'Content-Type': 'application/json' };
    const init = { method: 'POST', headers, body: JSON.stringify(proof) };
    const response = await withRetry(() => this.#send('/v1/sessions', init), true);
    if (!response.ok) throw await ApiError.of(response);
    const body = (await response.json()) as { session: { id: string }; csrfToken: string };
    this.#signInId = body.session.id;
    this.#csrfToken = body.csrfToken;
  }

  /** After a reload: whether the cookie still works. */
  async resume(): Promise<boolean> {
    try {
      this.#signInId = await this.#readSession();
      return true;
    } catch (error) {
      if (error instanceof SignedOutError) return false;
      throw error;
    }
  }

  /** Like `fetch`, for a path of the API. @throws SignedOutError */
  async fetch(path: string, init: RequestInit = {}): Promise<Response> {
    const response = await this.#sendWithToken(path, init);
    if (!(await isCsrfRefusal(response))) return response;
    // The secret of the session has changed, and the CSRF token with it. Another tab can have signed in as somebody else.
    if ((await this.#readSession()) !== this.#signInId) throw new SignedOutError();
    return this.#sendWithToken(path, init);
  }

  async signOut(): Promise<void> {
    const response = await this.fetch('/v1/sessions/current', { method: 'DELETE' });
    if (response.status !== 401 && !response.ok) throw await ApiError.of(response);
    this.#csrfToken = undefined;
    this.#signInId = undefined;
  }

  /**
   * Reads the CSRF token, and then the id of the sign-in. In this order, an id that has not changed proves that the token
   * belongs to it.
   */
  async #readSession(): Promise<string> {
    const { csrfToken } = await this.#read<{ csrfToken: string }>('/v1/sessions/current/csrf-token');
    const { id } = await this.#read<{ id: string }>('/v1/sessions/current');
    this.#csrfToken = csrfToken;
    return id;
  }

  async #read<T>(path: string): Promise<T> {
    const response = await withRetry(() => this.#send(path, {}), true);
    if (response.status === 401) throw new SignedOutError();
    if (!response.ok) throw await ApiError.of(response);
    return (await response.json()) as T;
  }

  #sendWithToken(path: string, init: RequestInit): Promise<Response> {
    const headers = new Headers(init.headers);
    if (this.#csrfToken !== undefined && !SAFE.has(init.method ?? 'GET'))
      headers.set('X-CSRF-Token', this.#csrfToken);
    return withRetry(() => this.#send(path, { ...init, headers }), isIdempotent(init.method), init.signal);
  }

  #send(path: string, init: RequestInit): Promise<Response> {
    const send = this.options.fetch ?? fetch;
    return send(urlOf(this.options.url, path), { ...init, credentials: 'include', redirect: 'error' });
  }
}

async function isCsrfRefusal(response: Response): Promise<boolean> {
  if (response.status !== 403) return false;
  const problem = (await response
    .clone()
    .json()
    .catch(() => ({}))) as { type?: string };
  return problem.type?.endsWith('/problems/csrf') ?? false;
}
