import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { list, origin } from '../platform/config/formats.js';
import { defineSettings, type SettingsOf } from '../platform/config/settings.js';

const settings = defineSettings({ CORS_ORIGINS: (production) => list.pipe(z.array(origin(production))) });

declare module '../platform/config/config.js' {
  interface Config extends SettingsOf<typeof settings> {}
}

/**
 * The reason to refuse a request as cross-site, or undefined. Browsers send Origin or Sec-Fetch-Site, which scripts
 * cannot forge. Other clients send neither (ASVS 3.5.1, 3.5.8).
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
  // The reason is logged, so it must not contain arbitrary text of the client.
  return site === 'cross-site' || site === 'same-site' ? `Sec-Fetch-Site: ${site}` : 'unknown Sec-Fetch-Site';
}

/**
 * The origin of this server, as a browser writes it: in lower case, without the default port. A trusted proxy sends the
 * scheme in `X-Forwarded-Proto`, and must pass on `Host`.
 */
function ownOrigin({ protocol, headers: { host = '' } }: FastifyRequest): string | undefined {
  const url = `${protocol}://${host}`;
  return /^https?$/.test(protocol) && URL.canParse(url) ? new URL(url).origin : undefined;
}
