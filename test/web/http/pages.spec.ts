import { describe, expect, it } from '@jest/globals';
// room: users
import { openLinkPage } from '../../support/link-page.js';
// /room
import { signIns } from '../../support/modes/any.js';
import { send } from '../../support/raw-http.js';
import { PASSWORD, useServer } from '../../support/server.js';
import type { Problems } from './pages.fixture.js';

const PAGE_CSP = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');
/** Swagger UI writes inline styles. */
const INLINE_STYLES_CSP = PAGE_CSP.replace("style-src 'self'", "style-src 'self' 'unsafe-inline'");

const PAGES = [
  '/docs',
  // room: users
  '/verify',
  // /room
  // room: recovery
  '/reset',
  '/undo',
  // /room
  '/problems/not-found',
];

describe('pages', () => {
  const context = useServer({
    env: { PLAYGROUND: 'off' },
    fixture: 'test/web/http/pages.fixture.ts#problems',
  });
  const get = (path: string) => send(context.server.url, 'GET', path);
  const allProblems = () => context.server.provider<Problems>('Problems').all();

  /** What a reader sees of an HTML page. */
  const textOf = (html: string) =>
    html
      .replaceAll(/<style>.*?<\/style>|<[^>]*>/gs, ' ')
      .replaceAll('&quot;', '"')
      .replaceAll('&lt;', '<')
      .replaceAll('&gt;', '>')
      .replaceAll('&amp;', '&');

  describe.each(PAGES)('the page %s', (path) => {
    it('[V3.4.3] [RFC 9700 4.16] is HTML that can load files of this server, and nothing else', async () => {
      const { status, headers } = await get(path);
      expect(status).toBe(200);
      expect(headers).toMatchObject({
        'content-type': 'text/html; charset=utf-8',
        'content-security-policy': path === '/docs' ? INLINE_STYLES_CSP : PAGE_CSP,
        'x-content-type-options': 'nosniff',
        'x-frame-options': 'DENY',
        'referrer-policy': 'no-referrer',
        'cache-control': 'no-store',
      });
    });

    it('names no other host, and only files that exist', async () => {
      const { text } = await get(path);
      const references = [...text.matchAll(/(?:src|href|action)="([^"]*)"/g)].map(([, url]) => url!);
      expect(references).not.toEqual([]);
      for (const url of references.filter((reference) => reference !== 'data:,')) {
        const { host, pathname } = new URL(url, `http://server${path}`);
        expect([url, host, (await get(pathname)).status]).toEqual([url, 'server', 200]);
      }
    });

    it('has no script and no style of its own, which the policy would stop', async () => {
      const { text } = await get(path);
      expect(text).not.toMatch(/<script(?![^>]* src=)|\son\w+=|javascript:|<style|\sstyle=/i);
    });
  });

  describe('GET /', () => {
    it('redirects to the API reference', async () => {
      const { status, headers } = await get('/');
      expect([status, headers.location]).toEqual([302, '/docs']);
    });
  });

  describe('GET /pages.css', () => {
    it('is the look of the pages, at a URL that changes with it', async () => {
      const [, url] = /href="\.\.\/(pages\.css\?v=[0-9a-f]{16})"/.exec(
        (await get('/problems/not-found')).text,
      )!;
      const { status, headers, text } = await get(`/${url}`);
      expect(status).toBe(200);
      expect(headers).toMatchObject({
        'content-type': 'text/css; charset=utf-8',
        'cache-control': 'public, max-age=31536000, immutable',
      });
      for (const rule of ['prefers-color-scheme: dark', '--accent']) expect(text).toContain(rule);
      expect(text).not.toMatch(/url\(|@import/);
    });

    it.each(['', '?v=0123456789abcdef'])('is kept by no cache for %p', async (query) => {
      const { status, headers } = await get(`/pages.css${query}`);
      expect([status, headers['cache-control']]).toEqual([200, 'no-store']);
    });
  });

  describe('GET /docs/:file', () => {
    it.each([
      ['swagger-ui.css', 'text/css; charset=utf-8'],
      ['swagger-ui-bundle.js', 'text/javascript; charset=utf-8'],
      ['favicon-32x32.png', 'image/png'],
    ])('serves %s, which browsers can cache', async (file, type) => {
      const { status, headers } = await get(`/docs/${file}`);
      expect(status).toBe(200);
      expect(headers).toMatchObject({ 'content-type': type, 'cache-control': 'public, max-age=86400' });
    });

    it('starts the reference with the document of this server', async () => {
      const { headers, text } = await get('/docs/start.js');
      expect(headers).toMatchObject({
        'content-type': 'text/javascript; charset=utf-8',
        'cache-control': 'no-store',
      });
      expect(text).toContain("url: 'openapi.json'");
      // The validator's badge would come from another host.
      expect(text).toContain('validatorUrl: null');
    });

    it.each([
      '/docs/none.js',
      '/docs/package.json',
      '/docs/index.html',
      '/docs/',
      '/docs/__proto__',
      '/docs/constructor',
      '/docs/../package.json',
      '/docs/../../package.json',
      '/docs/..%2fpackage.json',
      '/docs/%2e%2e%2fpackage.json',
      String.raw`/docs/..\package.json`,
      '/docs/..%5cpackage.json',
      '/docs/swagger-ui.css%00',
      '/docs/./swagger-ui.css',
      '/docs/%2fetc%2fpasswd',
      '/docs//etc/passwd',
    ])('has no %s', async (path) => {
      const { status, problem } = await get(path);
      expect([status, problem]).toEqual([404, 'not-found']);
    });
  });

  // room: users
  const openVerifyPage = (fragment: string, fetchOf?: typeof fetch) =>
    openLinkPage(context.server.url, '/verify', fragment, fetchOf);

  describe('GET /verify', () => {
    const THANKS = 'Thank you. Your address is confirmed. You can sign in now.';
    const register = async (email: string) => {
      await context.server.anonymous.post('/v1/users', { email, password: PASSWORD });
      return context.server.mailedToken(email);
    };
    const isConfirmed = async (email: string) => {
      const [user] = await context.server.query('SELECT email_verified_at FROM users WHERE email = $1', [
        email,
      ]);
      return user.email_verified_at !== null;
    };

    it('confirms the address when the button is pressed, not when a mail scanner opens the page', async () => {
      const email = 'reader@example.com';
      const page = await openVerifyPage(`#${await register(email)}`);
      await new Promise((resolve) => setImmediate(resolve));
      expect([page.requests, await isConfirmed(email)]).toEqual([[], false]);
      expect(await page.press()).toBe(THANKS);
      expect([page.button.hidden, await isConfirmed(email)]).toEqual([true, true]);
    });

    it('says "already confirmed" at a second click', async () => {
      const token = await register('twice@example.com');
      await (await openVerifyPage(`#${token}`)).press();
      expect(await (await openVerifyPage(`#${token}`)).press()).toBe(
        'Your address is already confirmed. You can sign in.',
      );
    });

    it('asks for a new password if the link sets one', async () => {
      const email = 'forgetful@example.com';
      await register(email);
      await context.server.anonymous.post('/v1/email-verifications', { email });
      const page = await openVerifyPage(`#${await context.server.mailedToken(email)}`);
      expect(await page.press()).toBe('Choose a new password for your account.');
      page.password.value = 'password';
      expect(await page.press()).toMatch(/^The password .*common/);
      page.password.value = 'a new password of the owner';
      expect([page.field.hidden, await isConfirmed(email)]).toEqual([false, false]);
      expect(await page.press()).toBe(THANKS);
      const { path, fields } = signIns[0]!;
      const signIn = { email, password: page.password.value, ...fields };
      expect((await context.server.anonymous.post(path, signIn)).status).toBe(201);
    });

    it('says what to do if there is no token, no such link, or no answer', async () => {
      const empty = await openVerifyPage('');
      expect(empty.status.textContent).toMatch(/^Open the link in the mail again/);
      expect(empty.button.hidden).toBe(true);
      expect(await (await openVerifyPage('#x')).press()).toBe(
        'This link is no longer valid. Request a new mail.',
      );
      const again = 'The server could not be reached. Try again.';
      const down = await openVerifyPage('#x', async () => new Response(null, { status: 503 }));
      expect([await down.press(), down.button]).toMatchObject([again, { hidden: false, disabled: false }]);
      const cut = await openVerifyPage('#x', () => Promise.reject(new TypeError('Failed to fetch')));
      expect(await cut.press()).toBe(again);
    });
  });

  // /room

  describe('GET /problems/:slug', () => {
    it('explains every problem that an answer can name', async () => {
      for (const { slug, status, title, about } of (await allProblems()).filter(
        (one) => one.slug !== 'test-markup',
      )) {
        const page = await get(`/problems/${slug}`);
        expect([slug, page.status, page.headers['content-type']]).toEqual([
          slug,
          200,
          'text/html; charset=utf-8',
        ]);
        const text = textOf(page.text);
        for (const part of [`${status} ${slug}`, title, about]) expect(text).toContain(part);
        expect(page.text).toContain(`<title>${title}</title>`);
      }
    });

    it('links to all problems', async () => {
      const { text } = await get('/problems/not-found');
      const links = [...text.matchAll(/href="([\w-]+)"/g)].map(([, slug]) => slug);
      expect(links).toEqual((await allProblems()).map(({ slug }) => slug));
    });

    it('[V1.2.3] escapes the texts of a problem', async () => {
      const { text } = await get('/problems/test-markup');
      expect(text).toContain('<h1>&lt;b&gt;&quot;Bold&quot;&lt;/b&gt; &amp; co</h1>');
      expect(text).not.toMatch(/<script|<b>/);
    });

    it.each(['none', 'NOT-FOUND', '__proto__', 'constructor', 'not-found%00', '%3Cscript%3E', '..%2fdocs'])(
      'answers 404 to %s, as JSON',
      async (slug) => {
        const { status, problem, text } = await get(`/problems/${slug}`);
        expect([status, problem]).toEqual([404, 'not-found']);
        expect(text).not.toContain('script');
      },
    );
  });
});

describe('with DOCS=off', () => {
  const context = useServer({ env: { DOCS: 'off', PLAYGROUND: 'off' } });
  const get = (path: string) => send(context.server.url, 'GET', path);

  it('[V13.4.5] answers 404 to the API reference, and does not link to it', async () => {
    for (const path of ['/', '/docs', '/docs/start.js', '/docs/swagger-ui-bundle.js', '/openapi.json']) {
      const { status, problem } = await get(path);
      expect([path, status, problem]).toEqual([path, 404, 'not-found']);
    }
    for (const path of ['/v1/nowhere', '/problems/not-found', '/.well-known/oauth-authorization-server'])
      expect((await get(path)).text).not.toContain('/docs');
  });

  it('serves the other pages', async () => {
    for (const path of PAGES.filter((page) => page !== '/docs')) expect((await get(path)).status).toBe(200);
  });
});
