import { afterEach, beforeEach } from '@jest/globals';
import type { Page } from 'playwright-core';
import { BrowserServer } from '../../support/chromium.js';
import { PASSWORD, useStarted } from '../../support/server.js';

/** The lanes of this server. */
export const LANES = [
  // room: sessions
  'session',
  // /room
  // room: jwt
  'jwt',
  // /room
  // room: opaque-tokens
  'opaque',
  // /room
  // room: own-api-keys
  'api-key',
  // /room
  // room: oauth
  'machine',
  // /room
];

/** Refusals, and the end of a sign-in by a request that carries no cookie. */
const EXPECTED = /the server responded with a status of 4\d\d|^Clear-Site-Data header/;

interface Options {
  readonly colorScheme?: 'light' | 'dark';
  readonly width?: number;
}

/** A person at the page, in a browser without anything of the others. */
export class Visitor {
  /** What the browser complains about, except what belongs to refusals. */
  readonly complaints: string[] = [];
  readonly requested: string[] = [];

  private constructor(
    readonly page: Page,
    readonly email: string,
  ) {
    page.on('console', (message) => {
      const isComplaint = ['error', 'warning'].includes(message.type());
      if (isComplaint && !EXPECTED.test(message.text())) this.complaints.push(message.text());
    });
    page.on('pageerror', (error) => this.complaints.push(String(error)));
    page.on('request', (request) => this.requested.push(request.url()));
  }

  static async open(
    { api, browser, url }: BrowserServer,
    { colorScheme = 'light', width = 1200 }: Options = {},
  ): Promise<Visitor> {
    const { email } = await api.person();
    const context = await browser.newContext({ colorScheme, viewport: { width, height: 900 } });
    const visitor = new Visitor(await context.newPage(), email);
    await visitor.page.goto(`${url}/`);
    await visitor.page.fill('[name=email]', email);
    await visitor.page.fill('[name=password]', PASSWORD);
    return visitor;
  }

  close(): Promise<void> {
    return this.page.context().close();
  }

  async choose(route: string): Promise<void> {
    await this.page.selectOption('#route', route);
  }

  /** Presses a button of a lane, and returns what the lane then says. */
  async press(lane: string, button: 'get' | 'call' | 'end'): Promise<string> {
    const control = this.page.locator(`#lane-${lane} [data-do=${button}]`);
    await control.click();
    await this.page.locator(`#lane-${lane} [data-do=${button}]:not([aria-busy])`).waitFor();
    return this.answerOf(lane);
  }

  answerOf(lane: string): Promise<string> {
    return this.page.locator(`#lane-${lane} .answer`).innerText();
  }

  wireOf(lane: string): Promise<string> {
    return this.page.locator(`#lane-${lane} .wire`).innerText();
  }

  /** Presses a button, and waits until its work is done. Returns the text of a status line. */
  async pressAndRead(button: string, status: string): Promise<string> {
    await this.page.click(button);
    await this.page.locator(`${button}:not([aria-busy])`).waitFor();
    return (await this.page.textContent(status))!;
  }
}

/** A server for a block of tests, and a visitor for each test. */
export function useVisitor(): { readonly server: BrowserServer; readonly visitor: Visitor } {
  const context = useStarted(() => BrowserServer.start()) as { server: BrowserServer; visitor: Visitor };
  beforeEach(async () => {
    context.visitor = await Visitor.open(context.server);
  });
  afterEach(() => context.visitor?.close());
  return context;
}
