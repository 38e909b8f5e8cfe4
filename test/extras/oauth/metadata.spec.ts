import { describe, expect, it } from '@jest/globals';
import type { RouteTable } from '../../../src/auth/route-table.js';
import { useServer } from '../../support/server.js';

const ISSUER = 'https://auth.example.com';

describe('GET /.well-known/oauth-authorization-server', () => {
  const context = useServer({ env: { ISSUER } });
  const get = () => context.server.anonymous.get('/.well-known/oauth-authorization-server');

  it('[RFC 9700 2.6] says what RFC 8414 asks for', async () => {
    const { status, headers, body } = await get();
    expect(status).toBe(200);
    expect(headers.get('content-type')).toContain('application/json');
    expect(headers.get('cache-control')).toBe('public, max-age=300');
    expect(body).toMatchObject({
      issuer: ISSUER,
      response_types_supported: [],
      grant_types_supported: [
        'refresh_token',
        'client_credentials',
        'urn:ietf:params:oauth:grant-type:token-exchange',
      ],
      token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post', 'none'],
    });
    expect(body.scopes_supported).toContain('probes:read');
    expect(body.scopes_supported.join(' ')).not.toContain('admin:');
  });

  it('names only existing endpoints', async () => {
    const { body } = await get();
    const routes = context.server.provider<RouteTable>('RouteTable');
    const urls = Object.entries<string>(body).filter(([name]) => /_endpoint$|^jwks_uri$/.test(name));
    expect(urls).toHaveLength(4);
    for (const [, url] of urls) {
      expect(url.startsWith(`${ISSUER}/`)).toBe(true);
      expect((await routes.at(url.slice(ISSUER.length))).length).toBeGreaterThan(0);
    }
  });
});
