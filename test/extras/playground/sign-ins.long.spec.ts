import { expect, it } from '@jest/globals';
// room: mfa
import { AuthenticatorApp } from '../../support/authenticator-app.js';
// /room
import { addPasskeyDevice, describeInChromium } from '../../support/chromium.js';
import { LANES, useVisitor } from './visitor.js';

describeInChromium('a person at the playground', () => {
  const context = useVisitor();

  const signIn = () => context.visitor.pressAndRead('#account [type=submit]', '#account-status');

  it('registers, and is signed in', async () => {
    await context.visitor.page.fill('[name=email]', 'new@example.com');
    expect(await context.visitor.pressAndRead('#register', '#account-status')).toMatch(
      /^Registered\. You are signed in/,
    );
    expect(await context.visitor.press(LANES[0]!, 'call')).toMatch(/^200/);
  });

  it('is told what is wrong with a registration', async () => {
    await context.visitor.page.fill('[name=password]', 'password');
    expect(await context.visitor.pressAndRead('#register', '#account-status')).toMatch(/valid/i);
  });

  it('signs in', async () => {
    expect(await signIn()).toMatch(/^You are signed in\. The lane “.+” has the credential\.$/);
  });

  // room: mfa
  async function enrolApp(): Promise<AuthenticatorApp> {
    const { page } = context.visitor;
    await context.visitor.pressAndRead('#add-totp', '#factors-status');
    const app = new AuthenticatorApp((await page.textContent('#totp-secret'))!);
    await page.waitForFunction('document.querySelector("#totp-qr").naturalWidth > 0');
    await page.fill('#totp input', app.codeAt(await context.server.api.clock.now()));
    await page.press('#totp input', 'Enter');
    await page.locator('#factors-status', { hasText: 'The authenticator app is active.' }).waitFor();
    return app;
  }

  it('adds an authenticator app, and needs its code at the next sign-in', async () => {
    const { page } = context.visitor;
    await signIn();
    const app = await enrolApp();
    expect(await page.textContent('#factors-status')).toMatch(/Recovery codes, shown once: [A-Z0-9-]+, /);
    await page.click('#account [type=submit]');
    await page.locator('#proof[open]').waitFor();
    await page.fill('#proof [name=code]', app.codeAt(await context.server.api.clock.now(), 1));
    await page.press('#proof [name=code]', 'Enter');
    await page.locator('#account-status', { hasText: 'You are signed in.' }).waitFor();
    expect(await context.visitor.pressAndRead('#remove-factors', '#factors-status')).toBe(
      'The factors are removed.',
    );
    expect(await signIn()).toMatch(/^You are signed in/);
  });

  it('cancels the second proof with Escape', async () => {
    const { page } = context.visitor;
    await signIn();
    await enrolApp();
    await page.click('#account [type=submit]');
    await page.locator('#proof[open]').waitFor();
    await page.keyboard.press('Escape');
    await page.locator('#account-status', { hasText: 'second factor' }).waitFor();
  });

  it('adds a passkey, and signs in with it alone', async () => {
    const { page } = context.visitor;
    await addPasskeyDevice(page);
    await signIn();
    expect(await context.visitor.pressAndRead('#add-passkey', '#factors-status')).toMatch(
      /^The passkey is registered\./,
    );
    await page.fill('[name=password]', '');
    expect(await context.visitor.pressAndRead('#with-passkey', '#account-status')).toMatch(
      /^You are signed in/,
    );
    for (const lane of LANES) {
      await context.visitor.press(lane, 'get');
      expect(await context.visitor.press(lane, 'call')).toMatch(/^200/);
    }
  });

  it('proves a passkey as the second factor', async () => {
    const { page } = context.visitor;
    await addPasskeyDevice(page);
    await signIn();
    await context.visitor.pressAndRead('#add-passkey', '#factors-status');
    await page.click('#account [type=submit]');
    await page.selectOption('#proof select', 'passkey');
    await page.click('#proof [value=send]');
    await page.locator('#account-status', { hasText: 'You are signed in.' }).waitFor();
  });
  // /room
});
