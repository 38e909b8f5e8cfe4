import { createContext, runInContext } from 'node:vm';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { type Client } from '../../support/client.js';
import { useServer } from '../../support/server.js';
// room: sessions
import { sessionOf } from '../../support/modes/session.js';
// /room

interface UiRequest {
  url: string;
  method?: string;
  headers: Record<string, string>;
}

interface UiOptions {
  url: string;
  validatorUrl: null;
  requestInterceptor(request: UiRequest): Promise<UiRequest>;
  plugins: {
    statePlugins: {
      spec: { wrapActions: { updateJsonSpec(update: (document: any) => any): (document: any) => any } };
    };
  }[];
}

describe('the script of the API reference', () => {
  const context = useServer();

  /** Runs the script as the page does. The browser of the page sends what the client sends. */
  async function open(browser: Client = context.server.anonymous) {
    const { body: script } = await context.server.anonymous.get('/docs/start.js');
    let options!: UiOptions;
    const asked: string[] = [];
    const page = {
      matchMedia: () => ({ matches: false, addEventListener: () => undefined }),
      document: { documentElement: { classList: { toggle: () => undefined } } },
      location: new URL('/docs', context.server.url),
      URL,
      fetch: (path: string) => {
        asked.push(path);
        return fetch(context.server.url + path, { headers: browser.headers });
      },
      SwaggerUIBundle: (given: UiOptions) => (options = given),
    };
    runInContext(script, createContext(page));
    const { body: description } = await context.server.anonymous.get('/openapi.json');
    const [{ statePlugins }] = options.plugins as [UiOptions['plugins'][0]];
    const shown = statePlugins.spec.wrapActions.updateJsonSpec((document) => document)(description);
    const send = async (path: string, method?: string, headers: Record<string, string> = {}) => {
      const url = new URL(path, context.server.url).href;
      return (await options.requestInterceptor({ url, headers, ...(method && { method }) })).headers;
    };
    return { options, shown, asked, send };
  }

  it('shows the document of this server, without the badge of another host', async () => {
    expect((await open()).options).toMatchObject({ url: 'openapi.json', validatorUrl: null });
  });

  it('adds nothing to the request of a reader who is not signed in', async () => {
    expect(await (await open()).send('/v1/probes', 'POST')).toEqual({});
  });

  // room: sessions
  describe('with a session cookie', () => {
    let ada: Client;
    let csrfToken: string;
    beforeAll(async () => {
      const session = await sessionOf(await context.server.person());
      ({ csrfToken } = session);
      ada = context.server.anonymous.with({ Cookie: session.headers['Cookie']! });
    });

    it.each(['POST', 'PUT', 'PATCH', 'DELETE'])('adds the CSRF token to a %s', async (method) => {
      expect(await (await open(ada)).send('/v1/probes', method)).toEqual({ 'X-CSRF-Token': csrfToken });
    });

    it('sends a write that the server accepts', async () => {
      const headers = await (await open(ada)).send('/v1/probes', 'POST');
      expect((await ada.post('/v1/probes', { note: 'Tea' }, { headers })).status).toBe(201);
      expect(await ada.post('/v1/probes', { note: 'Tea' })).toMatchObject({ status: 403, problem: 'csrf' });
    });

    it.each(['GET', 'HEAD', undefined])('does not ask for the token before a read (%s)', async (method) => {
      const { send, asked } = await open(ada);
      expect([await send('/v1/probes', method), asked]).toEqual([{}, []]);
    });

    it.each(['Authorization', 'authorization', ...explicitHeaders()])(
      'does not ask for the token if %s has a credential',
      async (name) => {
        const { send, asked } = await open(ada);
        expect([await send('/v1/probes', 'POST', { [name]: 'x' }), asked]).toEqual([{ [name]: 'x' }, []]);
      },
    );

    it('never sends the token to another server', async () => {
      const { send, asked } = await open(ada);
      expect([await send('https://other.example.com/v1/probes', 'POST'), asked]).toEqual([{}, []]);
    });

    it('shows no field for the token', async () => {
      const { shown } = await open(ada);
      expect(JSON.stringify(shown.paths)).toContain('"name":"id"');
      expect(JSON.stringify(shown.paths)).not.toContain('"name":"X-CSRF-Token"');
    });
  });
  // /room
});

// room: sessions
/** Headers that carry a credential, besides Authorization. */
function explicitHeaders(): string[] {
  return [
    // room: api-keys
    'X-API-Key',
    // /room
  ];
}
// /room
