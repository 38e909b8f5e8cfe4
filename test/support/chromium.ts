import { once } from 'node:events';
import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, it } from '@jest/globals';
import { type Browser, chromium, type Page } from 'playwright-core';
import { findProgram } from './programs.js';
import { type RemoteOptions, TestServer } from './server.js';

const EXECUTABLE = process.env['CHROMIUM'] ?? findProgram('chromium');

/** Tests that need a browser. Where there is none, the run names what it leaves out, and REQUIRE_CHROMIUM=1 makes that a failure. */
export function describeInChromium(name: string, tests: () => void): void {
  if (EXECUTABLE !== undefined) describe(name, tests);
  else if (process.env['REQUIRE_CHROMIUM'] === '1')
    it('has Chromium if REQUIRE_CHROMIUM=1 requires it', () => {
      throw new Error('Chromium is not installed. Set CHROMIUM to its path.');
    });
  else it.skip(`${name}: left out, because this machine has no Chromium`, () => undefined);
}

/** Starts the browser of `describeInChromium`. */
export const launchChromium = (): Promise<Browser> =>
  chromium.launch({ executablePath: EXECUTABLE!, args: ['--no-sandbox'] });

/** A server on an origin that its issuer names, as passkeys need, and a browser. */
export class BrowserServer {
  private constructor(
    readonly url: string,
    readonly api: TestServer,
    readonly browser: Browser,
    private readonly origin: Server,
  ) {}

  /** @param pages HTML that the origin serves besides, by path */
  static async start(pages: Record<string, string> = {}, { env, ...options }: RemoteOptions = {}) {
    let api: TestServer | undefined;
    const origin = await serveOrigin(() => api!.url, pages);
    const url = `http://localhost:${(origin.address() as AddressInfo).port}`;
    api = await TestServer.start({ ...options, env: { ISSUER: url, RATE_LIMITS: 'off', ...env } });
    const browser = await launchChromium();
    return new BrowserServer(url, api, browser, origin);
  }

  async stop(): Promise<void> {
    await this.browser.close();
    await this.api.stop();
    this.origin.closeAllConnections();
    this.origin.close();
  }
}

/** Passes requests on to the API. Its port is known before the API starts. */
async function serveOrigin(api: () => string, pages: Record<string, string>): Promise<Server> {
  const server = createServer((incoming, outgoing) => {
    const { method = 'GET', headers, url = '/' } = incoming;
    const page = pages[url];
    if (page !== undefined) return outgoing.setHeader('Content-Type', 'text/html').end(page);
    const forwarded = request(api() + url, { method, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode!, answer.rawHeaders);
      answer.pipe(outgoing);
    });
    forwarded.on('error', () => outgoing.destroy());
    return incoming.pipe(forwarded);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

/** Gives a page a device with passkeys, which always agrees. */
export async function addPasskeyDevice(page: Page) {
  const devtools = await page.context().newCDPSession(page);
  await devtools.send('WebAuthn.enable');
  const { authenticatorId } = await devtools.send('WebAuthn.addVirtualAuthenticator', {
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
  });
  return { devtools, authenticatorId };
}
