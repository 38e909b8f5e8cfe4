import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { BrowserServer, describeInChromium } from '../../support/chromium.js';
import { LANES, Visitor } from './visitor.js';

describeInChromium('a race in the playground', () => {
  let server: BrowserServer;
  let visitor: Visitor;
  beforeAll(async () => {
    server = await BrowserServer.start();
  });
  afterAll(() => server?.stop());
  beforeEach(async () => {
    visitor = await Visitor.open(server);
  });
  afterEach(() => visitor.close());

  const rowOf = (id: string) => visitor.page.locator(`#${id}`);

  it('shows that every credential is refused after its revocation', async () => {
    expect(await visitor.pressAndRead('#race', '#race-status')).toBe('The race is over.');
    for (const lane of LANES) {
      const row = rowOf(`race-${lane}`);
      expect([lane, await row.locator('.result').innerText()]).toEqual([
        lane,
        expect.stringMatching(/^refused after \d+ ms$/),
      ]);
      expect(await row.locator('.accepted').count()).toBeGreaterThan(0);
      expect(await row.locator('.refused').count()).toBeGreaterThan(0);
    }
  });

  // room: jwt
  it('shows that a JWT is accepted until it expires if only its signature is verified', async () => {
    await visitor.pressAndRead('#race', '#race-status');
    const row = rowOf('race-jwks');
    expect(await row.locator('.result').innerText()).toMatch(/^still accepted, until \d/);
    expect(await row.locator('.refused').count()).toBe(0);
  });
  // /room

  // room: tokens
  const cookies = async () =>
    (await visitor.page.context().cookies()).filter(({ name }) => name === '__Host-refresh');
  const refreshes = () => visitor.requested.filter((url) => url.endsWith('/v1/tokens/refresh')).length;

  it('of refreshes without a lock sends five requests, and nobody is signed out', async () => {
    const before = refreshes();
    expect(await visitor.pressAndRead('#refresh-alone', '#refresh-status')).toMatch(/^5 requests, /);
    // The first one looks for a sign-in of an earlier visit.
    expect(refreshes() - before).toBe(6);
    expect(await visitor.pressAndRead('#refresh-alone', '#refresh-status')).toMatch(/^5 requests, /);
    expect(await cookies()).toHaveLength(1);
  });

  it('of refreshes with a lock sends one request, and all clients have its token', async () => {
    expect(await visitor.pressAndRead('#refresh-locked', '#refresh-status')).toMatch(
      /^1 request, 1 access token\./,
    );
    for (const number of [2, 3, 4, 5])
      expect(await rowOf(`tab-${number}`).locator('.result').innerText()).toMatch(/from another client$/);
  });

  it('of refreshes can run in two tabs', async () => {
    await visitor.pressAndRead('#refresh-locked', '#refresh-status');
    const second = await visitor.page.context().newPage();
    await second.goto(`${server.url}/`);
    const press = (page: typeof second) => page.click('#refresh-locked');
    await Promise.all([press(visitor.page), press(second)]);
    for (const page of [visitor.page, second])
      await page.locator('#refresh-status', { hasText: /^\d requests?, / }).waitFor();
  });
  // /room
});
