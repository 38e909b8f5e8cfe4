import { expect, it } from '@jest/globals';
import { describeInChromium } from '../../support/chromium.js';
import { LANES, useVisitor } from './visitor.js';

describeInChromium('a race in the playground', () => {
  const context = useVisitor();

  const rowOf = (id: string) => context.visitor.page.locator(`#${id}`);

  it('shows that every credential is refused after its revocation', async () => {
    expect(await context.visitor.pressAndRead('#race', '#race-status')).toBe('The race is over.');
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
    await context.visitor.pressAndRead('#race', '#race-status');
    const row = rowOf('race-jwks');
    expect(await row.locator('.result').innerText()).toMatch(/^still accepted, until \d/);
    expect(await row.locator('.refused').count()).toBe(0);
  });
  // /room

  // room: tokens
  const cookies = async () =>
    (await context.visitor.page.context().cookies()).filter(({ name }) => name === '__Host-refresh');
  const refreshes = () =>
    context.visitor.requested.filter((url) => url.endsWith('/v1/tokens/refresh')).length;

  it('of refreshes without a lock sends five requests, and nobody is signed out', async () => {
    const before = refreshes();
    expect(await context.visitor.pressAndRead('#refresh-alone', '#refresh-status')).toMatch(/^5 requests\. /);
    // The first one looks for a sign-in of an earlier visit.
    expect(refreshes() - before).toBe(6);
    expect(await context.visitor.pressAndRead('#refresh-alone', '#refresh-status')).toMatch(/^5 requests\. /);
    expect(await cookies()).toHaveLength(1);
  });

  it('of refreshes with a lock sends one request, and all clients take its token', async () => {
    expect(await context.visitor.pressAndRead('#refresh-locked', '#refresh-status')).toMatch(/^1 request\. /);
    for (const number of [2, 3, 4, 5])
      expect(await rowOf(`tab-${number}`).locator('.result').innerText()).toMatch(/from another client$/);
  });

  it('of refreshes can run in two tabs', async () => {
    await context.visitor.pressAndRead('#refresh-locked', '#refresh-status');
    const second = await context.visitor.page.context().newPage();
    await second.goto(`${context.server.url}/`);
    const press = (page: typeof second) => page.click('#refresh-locked');
    await Promise.all([press(context.visitor.page), press(second)]);
    for (const page of [context.visitor.page, second])
      await page.locator('#refresh-status', { hasText: /^\d requests?\. / }).waitFor();
  });
  // /room
});
