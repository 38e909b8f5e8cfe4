import { readdir, readFile } from 'node:fs/promises';
import { afterAll, beforeAll, beforeEach, expect, it } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import ts from 'typescript';
import type { TokenClient } from '../../examples/clients/typescript/token-client.js';
import { FaultyProxy, Gate } from './faulty-proxy.js';
import { signIn } from '../support/modes/any.js';
import type { Person } from '../support/person.js';
import { describeInChromium, launchChromium } from '../support/chromium.js';
import { useServer } from '../support/server.js';
import { until } from '../support/until.js';

const FOLDER = 'examples/clients/typescript';
const REFRESH = 'POST /v1/tokens/refresh';
const PAGE = `<!doctype html><title>Client</title><script type="module">
  import { TokenClient } from '/token-client.js';
  import { SignedOutError } from '/api-error.js';
  window.changes = [];
  const onChange = (state) => window.changes.push(state);
  window.client = new TokenClient({ url: location.origin, refreshIn: 'cookie', onChange });
  window.get = async () => {
    try {
      return (await client.fetch('/v1/users/me')).status;
    } catch (error) {
      return error instanceof SignedOutError ? 'signed out' : String(error);
    }
  };
</script>`;

/** What the page defines. */
declare const client: TokenClient;
declare const changes: string[];
declare const get: () => Promise<number | string>;
declare const navigator: { locks: { query(): Promise<{ pending: unknown[]; held: unknown[] }> } };

/** The page, and the modules of the client as a build makes them. */
async function addPages(proxy: FaultyProxy): Promise<void> {
  proxy.pages.set('/page', { type: 'text/html', text: PAGE });
  const options = { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext };
  for (const file of await readdir(FOLDER)) {
    const source = await readFile(`${FOLDER}/${file}`, 'utf8');
    const text = ts.transpile(source, options);
    proxy.pages.set(`/${file.replace(/ts$/, 'js')}`, { type: 'text/javascript', text });
  }
}

describeInChromium('the tabs of a browser', () => {
  const context = useServer();
  let proxy: FaultyProxy;
  let browser: Browser;
  let ada: Person;
  let tabs: Page[];

  beforeAll(async () => {
    proxy = await FaultyProxy.start(() => context.server.url);
    await addPages(proxy);
    browser = await launchChromium();
  });
  afterAll(async () => {
    await browser?.close();
    proxy?.stop();
  });

  beforeEach(async () => {
    ada = await context.server.person();
    const profile = await browser.newContext();
    tabs = [];
    for (let count = 0; count < 3; count++) {
      const tab = await profile.newPage();
      await tab.goto(`${proxy.url}/page`);
      await tab.waitForFunction(() => 'client' in globalThis);
      tabs.push(tab);
    }
    await signInAs(ada);
    proxy.requests.length = 0;
  });

  const signInAs = ({ email, password }: Person) =>
    tabs[0]!.evaluate((proof) => client.signIn(proof), { email, password });
  const inAll = () => Promise.all(tabs.map((tab) => tab.evaluate(() => get())));
  const all = (value: number | string) => [value, value, value];
  const states = () => Promise.all(tabs.map((tab) => tab.evaluate(() => changes.at(-1))));
  const untilAll = (state: string) => until(async () => (await states()).every((one) => one === state));

  it('share a sign-in, whose refresh token no script can read', async () => {
    await untilAll('signed-in');
    expect([await inAll(), proxy.count(REFRESH)]).toEqual([all(200), 0]);
    expect(await tabs[0]!.evaluate('document.cookie')).toBe('');
  });

  it('share one refresh', async () => {
    await untilAll('signed-in');
    await context.server.clock.advance('11m');
    const held = new Gate();
    proxy.fail(REFRESH, held.opened);
    const answers = inAll();
    await until(async () => (await tabs[0]!.evaluate(() => navigator.locks.query())).pending.length === 2);
    held.open();
    expect([await answers, proxy.count(REFRESH)]).toEqual([all(200), 1]);
  });

  it('survive a lost answer to a refresh', async () => {
    await untilAll('signed-in');
    await context.server.clock.advance('11m');
    proxy.fail(REFRESH, 'lose');
    expect(await inAll()).toEqual(all(200));
  });

  it('resume after a reload with the cookie', async () => {
    await tabs[1]!.reload();
    await tabs[1]!.waitForFunction(() => 'client' in globalThis);
    expect(await tabs[1]!.evaluate(() => client.resume())).toBe(true);
    expect(await inAll()).toEqual(all(200));
  });

  it('are all signed out by one', async () => {
    await untilAll('signed-in');
    await tabs[2]!.evaluate(() => client.signOut());
    await untilAll('signed-out');
    proxy.requests.length = 0;
    expect([await inAll(), proxy.requests]).toEqual([all('signed out'), []]);
    await tabs[1]!.reload();
    await tabs[1]!.waitForFunction(() => 'client' in globalThis);
    expect(await tabs[1]!.evaluate(() => client.resume())).toBe(false);
  });

  it('are all signed out if the family is revoked', async () => {
    await untilAll('signed-in');
    await (await signIn(ada)).delete('/v1/sessions');
    expect(await inAll()).toEqual(all('signed out'));
    await untilAll('signed-out');
  });

  it('take over the person who signs in in one of them', async () => {
    await untilAll('signed-in');
    const bob = await context.server.person();
    await signInAs(bob);
    await until(async () => (await tabs[1]!.evaluate(() => changes.length)) === 2);
    const me = await tabs[1]!.evaluate(async () => (await client.fetch('/v1/users/me')).json());
    expect(me).toMatchObject({ email: bob.email });
  });
});
