import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { BrowserServer, describeInChromium } from '../../support/chromium.js';
import { LANES, Visitor } from './visitor.js';

describeInChromium('a lane of the playground', () => {
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

  it('exists for each kind of credential', async () => {
    const ids = await visitor.page.locator('.lane').evaluateAll((all) => all.map(({ id }) => id));
    expect(ids).toEqual(LANES.map((lane) => `lane-${lane}`));
  });

  it.each(LANES)('%s gets a credential, calls a route and revokes it', async (lane) => {
    await visitor.press(lane, 'get');
    expect(await visitor.wireOf(lane)).toMatch(/^(Cookie|Authorization|X-API-Key): /);
    expect(await visitor.press(lane, 'call')).toMatch(/^200\s+\d+ quer(y|ies)\s+[\d.]+ ms$/);
    expect(await visitor.press(lane, 'end')).toBe('Revoked. Call again to see the refusal.');
    expect(await visitor.press(lane, 'call')).toMatch(/^401/);
  });

  it.each(LANES)('%s explains a refusal by its problem, and links to its page', async (lane) => {
    const refusal = await visitor.press(lane, 'call');
    expect(refusal).toMatch(/^401/);
    expect(refusal).toContain('About credential-required');
    expect(refusal).toMatch(/Accepted here: .*realm="api"/);
    const link = visitor.page.locator(`#lane-${lane} .answer a`);
    const page = await fetch(server.url + (await link.getAttribute('href'))!);
    expect([page.status, await page.text()]).toEqual([200, expect.stringContaining('credential-required')]);
  });

  it('says that the sign-in is wrong', async () => {
    await visitor.page.fill('[name=password]', 'a wrong password');
    expect(await visitor.press(LANES[0]!, 'get')).toMatch(/^401[\s\S]*About invalid-credential/);
    expect(await visitor.pressAndRead('#account [type=submit]', '#account-status')).not.toContain(
      'signed in',
    );
  });

  it('calls with all lanes at once', async () => {
    for (const lane of LANES) await visitor.press(lane, 'get');
    await visitor.page.click('#call-all');
    await visitor.page.locator('#call-all:not([aria-busy])').waitFor();
    for (const lane of LANES) expect(await visitor.answerOf(lane)).toMatch(/^200/);
  });

  // room: sessions
  it('session shows the cookie as it is', async () => {
    await visitor.press('session', 'get');
    const wire = await visitor.wireOf('session');
    const cookie = (await visitor.page.context().cookies()).find(({ name }) => name === '__Host-session')!;
    expect(cookie).toMatchObject({ httpOnly: true, secure: true, sameSite: 'Lax', path: '/' });
    expect(wire).toContain('HttpOnly; Secure; SameSite=Lax; Path=/');
    expect(wire).toContain(`${cookie.value.length} characters that no script can read`);
    expect(wire).toContain(`${`Cookie: __Host-session=${cookie.value}\r\n`.length} bytes, `);
    expect(wire).not.toContain(cookie.value);
    expect(wire).toContain('(empty)');
  });

  it('session survives a reload, because the browser keeps the cookie', async () => {
    await visitor.press('session', 'get');
    await visitor.page.reload();
    expect(await visitor.press('session', 'call')).toMatch(/^200/);
  });

  // room: orders
  it('session sends the CSRF token with a write', async () => {
    await visitor.press('session', 'get');
    await visitor.choose('POST /v1/orders');
    expect(await visitor.press('session', 'call')).toMatch(/^201/);
  });
  // /room
  // /room

  // room: jwt
  it('jwt shows the decoded header and claims', async () => {
    await visitor.press('jwt', 'get');
    const wire = await visitor.wireOf('jwt');
    for (const part of ['"alg":"ES256"', '"typ":"at+jwt"', '"iss": ', '"sid": ', 'Signature\n64 bytes'])
      expect(wire).toContain(part);
    expect(wire).not.toContain(visitor.email);
  });
  // /room

  // room: own-api-keys
  it('api-key shows the prefix, and checks the checksum', async () => {
    await visitor.press('api-key', 'get');
    const wire = await visitor.wireOf('api-key');
    const key = /X-API-Key: ([\s\S]*?)\n/.exec(wire)![1]!;
    expect(wire).toContain(`${key.slice(0, key.lastIndexOf('_') + 1)}, which`);
    expect(wire).toContain(`${key.slice(-6)}: the CRC-32 of the rest is right`);
  });

  // room: reports
  it('api-key is told which credential a route accepts', async () => {
    await visitor.press('api-key', 'get');
    await visitor.choose('GET /v1/reports/summary');
    expect(await visitor.press('api-key', 'call')).toMatch(/About mode-not-accepted[\s\S]*Bearer realm/);
  });
  // /room
  // /room
});
