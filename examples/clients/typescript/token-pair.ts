import { urlOf } from './api-error.js';
import { untilAnswered, withRetry } from './retry.js';

/** The answer of `POST /v1/tokens` and `POST /v1/tokens/refresh` (RFC 6749 section 5.1). */
export interface TokenResponse {
  readonly access_token: string;
  readonly expires_in: number;
  /** Only with `refreshIn: "body"`. */
  readonly refresh_token?: string;
}

export interface Access {
  readonly token: string;
  /** Milliseconds since 1970. A wrong clock does no harm, because a 401 leads to a refresh too. */
  readonly refreshAt: number;
}

const REFRESH_EARLIER_MS = 30_000;

/** @param startedAt when the request began, because the token expires `expires_in` seconds after a moment later than that */
export function accessOf({ access_token: token, expires_in }: TokenResponse, startedAt: number): Access {
  const lifetime = expires_in * 1000;
  return { token, refreshAt: startedAt + lifetime - Math.min(REFRESH_EARLIER_MS, lifetime / 2) };
}

/** Where an application keeps its refresh token: a keychain, a keystore, or the memory. */
export interface RefreshTokenStore {
  read(): Promise<string | undefined>;
  write(token: string | undefined): Promise<void>;
}

export function inMemory(): RefreshTokenStore {
  let token: string | undefined;
  return { read: async () => token, write: async (next) => void (token = next) };
}

/** Writes one token after the other, so that the last one stays. Otherwise the token of another person could stay. */
export function inOrder(store: RefreshTokenStore): RefreshTokenStore {
  let written: Promise<unknown> = Promise.resolve();
  return {
    read: () => written.then(() => store.read()),
    write: (token) => {
      const write = written.then(() => store.write(token));
      written = write.catch(() => undefined);
      return write;
    },
  };
}

export const jsonBody = (body: object): RequestInit => ({
  method: 'POST',
  headers: { 'Content-Type': 'application/json' },
  body: JSON.stringify(body),
});

/**
 * Requests the next pair. If the answer is lost, it sends the same token again: within REFRESH_REUSE_GRACE, this gets the
 * same successor.
 */
export function askForPair(url: string, init: RequestInit, send = fetch): Promise<Response> {
  const ask = async (signal: AbortSignal) => {
    const request = { method: 'POST', redirect: 'error', ...init, signal } as const;
    const response = await send(urlOf(url, '/v1/tokens/refresh'), request);
    // The end of the body can be lost too.
    return new Response(await response.text(), response);
  };
  return withRetry(() => untilAnswered(ask), true);
}

/** Other 401 answers ask for a recent sign-in or a second factor, which no refresh brings (RFC 9470). */
export const isInvalidToken = ({ status, headers }: Response): boolean =>
  status === 401 && /\berror="invalid_token"/.test(headers.get('WWW-Authenticate') ?? '');
