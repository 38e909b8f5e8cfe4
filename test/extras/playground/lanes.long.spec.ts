import { expect, it } from '@jest/globals';
import { describeInChromium } from '../../support/chromium.js';
import { LANES, useVisitor } from './visitor.js';

describeInChromium('a lane of the playground', () => {
  const context = useVisitor();

  it('exists for each kind of credential', async () => {
    const ids = await context.visitor.page.locator('.lane').evaluateAll((all) => all.map(({ id }) => id));
    expect(ids).toEqual(LANES.map((lane) => `lane-${lane}`));
  });

  it.each(LANES)('%s gets a credential, calls a route and revokes it', async (lane) => {
    await context.visitor.press(lane, 'get');
    expect(await context.visitor.wireOf(lane)).toMatch(/^(Cookie|Authorization|X-API-Key): /);
    expect(await context.visitor.press(lane, 'call')).toMatch(/^200\s+\d+ quer(y|ies)\s+[\d.]+ ms$/);
    expect(await context.visitor.press(lane, 'end')).toBe('Revoked. Call again to see the refusal.');
    expect(await context.visitor.press(lane, 'call')).toMatch(/^401/);
  });

  it.each(LANES)('%s explains a refusal by its problem, and links to its page', async (lane) => {
    const refusal = await context.visitor.press(lane, 'call');
    expect(refusal).toMatch(/^401/);
    expect(refusal).toContain('About credential-required');
    expect(refusal).toMatch(/Accepted here: .*realm="api"/);
    const link = context.visitor.page.locator(`#lane-${lane} .answer a`);
    const page = await fetch(context.server.url + (await link.getAttribute('href'))!);
    expect([page.status, await page.text()]).toEqual([200, expect.stringContaining('credential-required')]);
  });

  it('says that the sign-in is wrong', async () => {
    await context.visitor.page.fill('[name=password]', 'a wrong password');
    expect(await context.visitor.press(LANES[0]!, 'get')).toMatch(/^401[\s\S]*About invalid-credential/);
    expect(await context.visitor.pressAndRead('#account [type=submit]', '#account-status')).not.toContain(
      'signed in',
    );
  });

  it('calls with all lanes at once', async () => {
    for (const lane of LANES) await context.visitor.press(lane, 'get');
    await context.visitor.page.click('#call-all');
    await context.visitor.page.locator('#call-all:not([aria-busy])').waitFor();
    for (const lane of LANES) expect(await context.visitor.answerOf(lane)).toMatch(/^200/);
  });

  // room: sessions
  it('session shows the cookie as it is', async () => {
    await context.visitor.press('session', 'get');
    const wire = await context.visitor.wireOf('session');
    const cookie = (await context.visitor.page.context().cookies()).find(
      ({ name }) => name === '__Host-session',
    )!;
    expect(cookie).toMatchObject({ httpOnly: true, secure: true, sameSite: 'Lax', path: '/' });
    expect(wire).toContain('HttpOnly; Secure; SameSite=Lax; Path=/');
    expect(wire).toContain(`${cookie.value.length} characters that no script can read`);
    expect(wire).toContain(`${`Cookie: __Host-session=${cookie.value}\r\n`.length} bytes, `);
    expect(wire).not.toContain(cookie.value);
    expect(wire).toContain('(empty)');
  });

  it('session survives a reload, because the browser keeps the cookie', async () => {
    await context.visitor.press('session', 'get');
    await context.visitor.page.reload();
    expect(await context.visitor.press('session', 'call')).toMatch(/^200/);
  });

  // room: orders
  it('session sends the CSRF token with a write', async () => {
    await context.visitor.press('session', 'get');
    await context.visitor.choose('POST /v1/orders');
    expect(await context.visitor.press('session', 'call')).toMatch(/^201/);
  });
  // /room
  // /room

  // room: jwt
  it('jwt shows the decoded header and claims', async () => {
    await context.visitor.press('jwt', 'get');
    const wire = await context.visitor.wireOf('jwt');
    for (const part of ['"alg":"ES256"', '"typ":"at+jwt"', '"iss": ', '"sid": ', 'Signature\n64 bytes'])
      expect(wire).toContain(part);
    expect(wire).not.toContain(context.visitor.email);
  });
  // /room

  // room: own-api-keys
  it('api-key shows the prefix, and checks the checksum', async () => {
    await context.visitor.press('api-key', 'get');
    const wire = await context.visitor.wireOf('api-key');
    const key = /X-API-Key: ([\s\S]*?)\n/.exec(wire)![1]!;
    expect(wire).toContain(`${key.slice(0, key.lastIndexOf('_') + 1)}, which`);
    expect(wire).toContain(`${key.slice(-6)}: the CRC-32 of the rest is right`);
  });

  // room: reports
  it('api-key is told which credential a route accepts', async () => {
    await context.visitor.press('api-key', 'get');
    await context.visitor.choose('GET /v1/reports/summary');
    expect(await context.visitor.press('api-key', 'call')).toMatch(
      /About mode-not-accepted[\s\S]*Bearer realm/,
    );
  });
  // /room
  // /room
});
