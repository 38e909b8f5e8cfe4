import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { list, origin } from '../platform/config/formats.js';
import { defineSettings, type SettingsOf } from '../platform/config/settings.js';

const settings = defineSettings({ CORS_ORIGINS: (production) => list.pipe(z.array(origin(production))) });

declare module '../platform/config/config.js' {
  interface Config extends SettingsOf<typeof settings> {}
}

/**
 * Why a request looks like one that another site caused; undefined if it does not. Browsers send Origin or
 * Sec-Fetch-Site, and no script can forge them; curl sends neither (ASVS 3.5.1, 3.5.8).
 */
export function foreignOrigin(
  request: FastifyRequest,
  allowedOrigins: readonly string[],
): string | undefined {
  const { origin, 'sec-fetch-site': site } = request.headers;
  if (origin !== undefined) {
    if (allowedOrigins.includes(origin)) return undefined;
    if (origin !== ownOrigin(request)) return 'foreign Origin';
  }
  if (site === undefined || site === 'same-origin' || site === 'none') return undefined;
  // The reason goes into the log, where nothing may stand that a client made up.
  return site === 'cross-site' || site === 'same-site' ? `Sec-Fetch-Site: ${site}` : 'unknown Sec-Fetch-Site';
}

/**
 * Scheme, host and port of the request, as a browser writes an Origin: in lower case, without the default port. The
 * scheme is `X-Forwarded-Proto` of a trusted proxy; the host is `Host`, which the proxy must pass on.
 */
function ownOrigin({ protocol, headers: { host = '' } }: FastifyRequest): string | undefined {
  const url = `${protocol}://${host}`;
  return /^https?$/.test(protocol) && URL.canParse(url) ? new URL(url).origin : undefined;
}
