import { readFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { BrowserServer, describeInChromium } from '../../support/chromium.js';
import { LANES, Visitor } from './visitor.js';

const AXE = readFileSync('node_modules/axe-core/axe.min.js', 'utf8');
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
const PAGES = [
  '/problems/not-found',
  '/verify#token',
  // room: recovery
  '/reset#token',
  '/undo#token',
  // /room
  // room: anomalies
  '/not-me#token',
  // /room
];

describeInChromium('the playground for everyone', () => {
  let server: BrowserServer;
  let visitor: Visitor;
  beforeAll(async () => {
    server = await BrowserServer.start();
  });
  afterAll(() => server?.stop());
  afterEach(() => visitor.close());

  /** What axe-core finds wrong with the page as it is now. */
  async function faults(): Promise<string[]> {
    await visitor.page.evaluate(AXE);
    const options = { runOnly: { type: 'tag', values: RULES } };
    const found = await visitor.page.evaluate(
      `axe.run(document, ${JSON.stringify(options)}).then(({ violations }) =>
        violations.map(({ id, nodes }) => id + ': ' + nodes.map(({ html }) => html).join(' ')))`,
    );
    return found as string[];
  }
  const overflow = () =>
    visitor.page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth');

  async function useEverything(): Promise<void> {
    for (const lane of LANES) {
      await visitor.press(lane, 'get');
      await visitor.press(lane, 'call');
    }
    await visitor.press(LANES[0]!, 'end');
    await visitor.press(LANES[0]!, 'call');
    await visitor.pressAndRead('#race', '#race-status');
    // room: tokens
    await visitor.pressAndRead('#refresh-locked', '#refresh-status');
    // /room
    // room: mfa
    await visitor.pressAndRead('#add-totp', '#factors-status');
    // /room
  }

  describe.each([
    ['light', 1200],
    ['dark', 1200],
    ['light', 320],
    ['dark', 320],
  ] as const)('in the colours %s at %i px', (colorScheme, width) => {
    it('has no fault that axe-core finds, and does not scroll sideways', async () => {
      visitor = await Visitor.open(server, { colorScheme, width });
      expect([await faults(), await overflow()]).toEqual([[], 0]);
      await useEverything();
      expect([await faults(), await overflow()]).toEqual([[], 0]);
    });

    it.each(PAGES)('has no such fault at %s', async (path) => {
      visitor = await Visitor.open(server, { colorScheme, width });
      await visitor.page.goto(server.url + path);
      expect([await faults(), await overflow(), visitor.complaints]).toEqual([[], 0, []]);
    });
  });

  it('stores nothing, calls no other origin, and keeps to its policy', async () => {
    visitor = await Visitor.open(server);
    await useEverything();
    expect(await visitor.page.evaluate('[localStorage.length, sessionStorage.length]')).toEqual([0, 0]);
    expect(await visitor.page.evaluate('indexedDB.databases().then(({ length }) => length)')).toBe(0);
    expect(visitor.complaints).toEqual([]);
    const origins = new Set(visitor.requested.map((url) => new URL(url).origin));
    origins.delete('null'); // `data:` of the QR code
    expect([...origins]).toEqual([server.url]);
  });

  it('does not move while it loads', async () => {
    visitor = await Visitor.open(server);
    await visitor.page.goto(`${server.url}/problems/not-found`);
    await visitor.page.goto(`${server.url}/`, { waitUntil: 'networkidle' });
    const shifts = `new Promise((done) => {
      let sum = 0;
      const add = (entries) => entries.forEach(({ value }) => (sum += value));
      const observer = new PerformanceObserver((list) => add(list.getEntries()));
      observer.observe({ type: 'layout-shift', buffered: true });
      const end = () => (add(observer.takeRecords()), done(sum));
      requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(end)));
    })`;
    expect(await visitor.page.evaluate(shifts)).toBe(0);
  });

  it('works by keyboard alone, with a visible focus', async () => {
    visitor = await Visitor.open(server);
    const { page } = visitor;
    await page.focus('[name=password]');
    await page.keyboard.press('Enter');
    await page.locator('#account-status', { hasText: 'You are signed in.' }).waitFor();
    const call = `#lane-${LANES[0]} [data-do=call]`;
    for (let steps = 0; steps < 30; steps += 1) {
      await page.keyboard.press('Tab');
      if (await page.locator(`${call}:focus`).count()) break;
    }
    const outline = `getComputedStyle(document.querySelector('${call}')).outlineStyle`;
    expect(await page.evaluate(outline)).toBe('solid');
    await page.keyboard.press('Enter');
    await page.locator(`#lane-${LANES[0]} .answer`, { hasText: '200' }).waitFor();
    // The focus stays on the button while it works.
    expect(await page.locator(`${call}:focus`).count()).toBe(1);
    await page.keyboard.press('Tab');
    await page.keyboard.press('Space');
    await page.locator(`#lane-${LANES[0]} .answer`, { hasText: 'Revoked' }).waitFor();
  });
});
