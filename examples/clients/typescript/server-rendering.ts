import { ApiError } from './api-error.js';
import { askForPair } from './token-pair.js';

export interface PageCredential {
  /** For the requests of this page. Undefined if nobody is signed in. */
  readonly accessToken: string | undefined;
  /** Add them to the answer of the page, with `Cache-Control: no-store`. Otherwise the browser keeps a used token. */
  readonly setCookie: readonly string[];
}

/** The request for the page. The browser sends the cookie if the pages and the API are on one host. */
export interface PageRequest {
  /** The header `Cookie`. */
  readonly cookies: string | undefined;
  /** The address of the browser. The API believes it if TRUSTED_PROXIES names the server of the pages. */
  readonly address: string;
}

/**
 * Gets an access token for one page with the refresh cookie of the browser. If the browser refreshes at the same moment, both
 * get the same successor.
 */
export async function credentialOfPage(
  url: string,
  { cookies, address }: PageRequest,
): Promise<PageCredential> {
  // Only this cookie, because the API must not see the others twice or in another role.
  const own = (cookies ?? '').split(/; */).filter((pair) => pair.startsWith('__Host-refresh='));
  if (own.length === 0) return { accessToken: undefined, setCookie: [] };
  const response = await askForPair(url, { headers: { Cookie: own.join('; '), 'X-Forwarded-For': address } });
  if (!response.ok && response.status !== 401) throw await ApiError.of(response);
  const { access_token: accessToken } = (await response.json()) as { access_token?: string };
  return { accessToken, setCookie: response.headers.getSetCookie() };
}
