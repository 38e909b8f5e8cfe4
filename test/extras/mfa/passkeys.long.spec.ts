import { afterAll, beforeAll, beforeEach, expect, it } from '@jest/globals';
import type { CDPSession, Page } from 'playwright-core';
import { addPasskeyDevice, BrowserServer, describeInChromium } from '../../support/chromium.js';
import type { Person } from '../../support/person.js';

const PAGE = '<!doctype html><title>Sign in</title><input autocomplete="username webauthn">';

describeInChromium('a passkey in a browser', () => {
  let server: BrowserServer;
  let page: Page;
  let devtools: CDPSession;
  let authenticatorId: string;
  let ada: Person;

  beforeAll(async () => {
    server = await BrowserServer.start({ '/page': PAGE });
  });
  afterAll(() => server?.stop());

  beforeEach(async () => {
    ada = await server.api.person();
    page = await (await server.browser.newContext()).newPage();
    ({ devtools, authenticatorId } = await addPasskeyDevice(page));
    await page.goto(`${server.url}/page`);
    await page.evaluate(defineClient);
    await page.evaluate((body) => client.signIn(body), { email: ada.email, password: ada.password });
  });

  const register = () => page.evaluate(() => client.register());
  const credentials = async () =>
    (await devtools.send('WebAuthn.getCredentials', { authenticatorId })).credentials;

  it('is registered, and signs in without a password', async () => {
    const registered = await register();
    expect(registered).toMatchObject({ status: 201, body: { passkey: { synced: true, backedUp: true } } });
    expect(await page.evaluate(() => client.signInWithPasskey())).toMatchObject({
      status: 201,
      body: { user: { email: ada.email } },
    });
    expect(await page.evaluate(() => client.send('GET', '/v1/whoami'))).toMatchObject({
      body: { amr: ['swk', 'user', 'mfa'] },
    });
  });

  it('signs in from the form, by conditional mediation', async () => {
    await register();
    expect((await page.evaluate(() => client.signInWithPasskey('conditional'))).status).toBe(201);
  });

  it('is a second factor after the password', async () => {
    await register();
    const { email, password } = ada;
    const { status, body } = await page.evaluate((sent) => client.signInWithBoth(sent), { email, password });
    expect({ status, email: body.user?.email }).toEqual({ status: 201, email });
  });

  it('is not made if the authenticator cannot verify the user', async () => {
    await devtools.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified: false });
    await expect(register()).rejects.toThrow('NotAllowedError');
  });

  it('is forgotten by the browser after its removal', async () => {
    const { body } = await register();
    expect(await credentials()).toHaveLength(1);
    const removed = await page.evaluate((id) => client.remove(id), body.passkey.id as string);
    expect(removed.status).toBe(200);
    expect(await credentials()).toEqual([]);
  });
});

interface PageAnswer {
  status: number;
  body: any;
}

/** What the page of an application does. It is defined in the page. */
declare const client: {
  send(method: string, path: string, body?: unknown): Promise<PageAnswer>;
  signIn(body: object): Promise<PageAnswer>;
  register(): Promise<PageAnswer>;
  signInWithPasskey(mediation?: string): Promise<PageAnswer>;
  signInWithBoth(body: object): Promise<PageAnswer>;
  remove(id: string): Promise<PageAnswer>;
};

function defineClient(): void {
  const browser = globalThis as any;
  const { PublicKeyCredential, navigator } = browser;
  let csrfToken = '';
  const send = async (method: string, path: string, body?: unknown): Promise<PageAnswer> => {
    const response = await browser.fetch(path, {
      method,
      headers: { 'X-CSRF-Token': csrfToken, ...(body ? { 'Content-Type': 'application/json' } : {}) },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    const answer = await response.json();
    csrfToken = answer.csrfToken ?? csrfToken;
    return { status: response.status, body: answer };
  };
  const get = async (options: unknown, mediation?: string) => {
    const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options);
    return (await navigator.credentials.get({ publicKey, ...(mediation ? { mediation } : {}) })).toJSON();
  };
  const signIn = (body: object) => send('POST', '/v1/sessions', body);
  browser.client = {
    send,
    signIn,
    async register() {
      const { body } = await send('POST', '/v1/mfa/passkeys/options');
      const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(body);
      const passkey = (await navigator.credentials.create({ publicKey })).toJSON();
      return send('POST', '/v1/mfa/passkeys', { passkey });
    },
    async signInWithPasskey(mediation?: string) {
      const { body } = await send('POST', '/v1/passkey-options');
      return signIn({ passkey: await get(body, mediation) });
    },
    async signInWithBoth(body: object) {
      const { mfaToken, passkeyOptions } = (await signIn(body)).body;
      return signIn({ mfaToken, passkey: await get(passkeyOptions) });
    },
    async remove(id: string) {
      const removed = await send('DELETE', `/v1/mfa/passkeys/${id}`);
      await PublicKeyCredential.signalAllAcceptedCredentials(removed.body.signal);
      return removed;
    },
  };
}
