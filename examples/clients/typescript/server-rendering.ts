import { ApiError } from './api-error.js';
import { askForPair } from './token-pair.js';

export interface PageCredential {
  /** For the requests of this page. Undefined if nobody is signed in. */
  readonly accessToken: string | undefined;
  /** Add them to the answer of the page, with `Cache-Control: no-store`. Otherwise the browser keeps a used token. */
  readonly setCookie: readonly string[];
}

/**
 * Gets an access token for one page with the refresh cookie of the browser. The server of the pages is on the same host as
 * the API, behind one proxy. If the browser refreshes at the same moment, both get the same successor.
 * @param cookies the header `Cookie` of the request for the page
 */
export async function credentialOfPage(url: string, cookies: string | undefined): Promise<PageCredential> {
  // Only this cookie, because the API must not see the others twice or in another role.
  const own = (cookies ?? '').split(/; */).filter((pair) => pair.startsWith('__Host-refresh='));
  if (own.length === 0) return { accessToken: undefined, setCookie: [] };
  const response = await askForPair(url, { headers: { Cookie: own.join('; ') } });
  if (!response.ok && response.status !== 401) throw await ApiError.of(response);
  const { access_token: accessToken } = (await response.json()) as { access_token?: string };
  return { accessToken, setCookie: response.headers.getSetCookie() };
}
