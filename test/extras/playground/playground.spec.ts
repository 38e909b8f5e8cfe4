import { describe, expect, it } from '@jest/globals';
import { send } from '../../support/raw-http.js';
import { useServer } from '../../support/server.js';

const EXAMPLE = 'correct horse battery staple';
const MAIN = 'src/extras/playground/browser/main.js';
const PRODUCTION = { NODE_ENV: 'production', ISSUER: 'https://auth.example.com' };

describe('the playground', () => {
  const context = useServer();
  const get = (path: string) => send(context.server.url, 'GET', path);
  const files = async () =>
    [...(await get('/')).text.matchAll(/(?:src|href)="(playground\/[^"]+)"/g)].map(([, path]) => path!);

  it('is at /, and its policy allows only files of this server', async () => {
    const { status, headers, text } = await get('/');
    expect(status).toBe(200);
    expect(headers).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-store',
      'content-security-policy': expect.stringContaining("script-src 'self'; style-src 'self';"),
    });
    expect(headers['content-security-policy']).not.toContain('unsafe');
    expect(text).not.toMatch(/<script(?![^>]* src=)|\son\w+=|javascript:|<style|\sstyle=|https?:/i);
  });

  it('loads modules and a stylesheet, which browsers keep until they change', async () => {
    const paths = await files();
    expect(paths).toContainEqual(
      expect.stringMatching(/^playground\/[0-9a-f]{16}\/src\/extras\/playground\/browser\/main\.js$/),
    );
    expect(new Set(paths.map((path) => path.split('/')[1])).size).toBe(1);
    for (const path of paths) {
      const { status, headers } = await get(`/${path}`);
      expect([path, status]).toEqual([path, 200]);
      expect(headers).toMatchObject({
        'content-type': path.endsWith('.css') ? 'text/css; charset=utf-8' : 'text/javascript; charset=utf-8',
        'cache-control': 'public, max-age=31536000, immutable',
      });
    }
  });

  it('loads no file that a cache keeps for another version, such as one of an update', async () => {
    const { status, headers } = await get(`/playground/0123456789abcdef/${MAIN}`);
    expect([status, headers['cache-control']]).toEqual([200, 'no-store']);
  });

  it.each([
    '/playground/x/none.js',
    '/playground/x/__proto__',
    '/playground/x/src/extras/playground/browser/tsconfig.json',
    '/playground/x/src/extras/playground/page.js',
    '/playground/x/src/extras/playground/browser/..%2fpage.js',
    '/playground/x/src/extras/playground/browser/%2e%2e%2fpage.js',
    '/playground/x/package.json',
    // room: tokens
    '/playground/x/examples/clients/typescript/run.js',
    // /room
    `/playground/${MAIN}`,
    '/playground/x/',
    '/playground/',
  ])('has no %s', async (path) => {
    const { status, problem } = await get(path);
    expect([status, problem]).toEqual([404, 'not-found']);
  });

  it('has the account of the examples in its fields', async () => {
    expect((await get('/')).text).toContain(EXAMPLE);
  });
});

describe('with PLAYGROUND=off', () => {
  const context = useServer({ env: { PLAYGROUND: 'off' } });

  it('redirects / to the API reference, and has no files', async () => {
    const { status, headers } = await send(context.server.url, 'GET', '/');
    expect([status, headers.location]).toEqual([302, '/docs']);
    expect((await send(context.server.url, 'GET', `/playground/x/${MAIN}`)).status).toBe(404);
  });
});

describe('in production', () => {
  const context = useServer({ env: PRODUCTION });

  it('is off', async () => {
    for (const path of ['/', `/playground/x/${MAIN}`]) {
      const { status, problem } = await send(context.server.url, 'GET', path);
      expect([path, status, problem]).toEqual([path, 404, 'not-found']);
    }
  });
});

describe('in production with PLAYGROUND=on', () => {
  const context = useServer({ env: { ...PRODUCTION, PLAYGROUND: 'on' } });

  it('is on, without the account of the examples', async () => {
    const { status, text } = await send(context.server.url, 'GET', '/');
    expect(status).toBe(200);
    expect(text).not.toContain(EXAMPLE);
  });
});
