import { once } from 'node:events';
import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { type Browser, type CDPSession, chromium, type Page } from 'playwright-core';
import type { Person } from '../../support/person.js';
import { findProgram } from '../../support/programs.js';
import { TestServer } from '../../support/server.js';

const CHROMIUM = process.env['CHROMIUM'] ?? findProgram('chromium');
const PAGE = '<!doctype html><title>Sign in</title><input autocomplete="username webauthn">';

if (CHROMIUM === undefined)
  it.skip('a passkey in a browser, since this machine has no Chromium', () => undefined);
else describe('a passkey in a browser', () => passkeysIn(CHROMIUM));

/** The page and the API on one origin, whose port is known before the API starts. */
async function serveOrigin(api: () => string): Promise<Server> {
  const server = createServer((incoming, outgoing) => {
    if (incoming.url === '/page') return outgoing.setHeader('Content-Type', 'text/html').end(PAGE);
    const { method = 'GET', headers, url = '/' } = incoming;
    const forwarded = request(api() + url, { method, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode!, answer.headers);
      answer.pipe(outgoing);
    });
    return incoming.pipe(forwarded);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

function passkeysIn(executablePath: string): void {
  let api: TestServer;
  let origin: Server;
  let url: string;
  let browser: Browser;
  let page: Page;
  let devtools: CDPSession;
  let authenticatorId: string;
  let ada: Person;

  beforeAll(async () => {
    origin = await serveOrigin(() => api.url);
    url = `http://localhost:${(origin.address() as AddressInfo).port}`;
    api = await TestServer.start({ env: { ISSUER: url, RATE_LIMITS: 'off' } });
    browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
  });

  afterAll(async () => {
    await browser?.close();
    await api?.stop();
    origin?.closeAllConnections();
    origin?.close();
  });

  beforeEach(async () => {
    ada = await api.person();
    const context = await browser.newContext();
    page = await context.newPage();
    devtools = await context.newCDPSession(page);
    await devtools.send('WebAuthn.enable');
    ({ authenticatorId } = await devtools.send('WebAuthn.addVirtualAuthenticator', {
      options: {
        protocol: 'ctap2',
        ctap2Version: 'ctap2_1',
        transport: 'internal',
        hasResidentKey: true,
        hasUserVerification: true,
        isUserVerified: true,
        automaticPresenceSimulation: true,
        defaultBackupEligibility: true,
        defaultBackupState: true,
      },
    }));
    await page.goto(`${url}/page`);
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
}

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
