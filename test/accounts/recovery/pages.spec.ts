import { describe, expect, it } from '@jest/globals';
import { openLinkPage } from '../../support/link-page.js';
import { signIn, signIns } from '../../support/modes/any.js';
import { useServer } from '../../support/server.js';

describe('the pages of recovery', () => {
  const context = useServer();
  const open = (path: string, token: string) => openLinkPage(context.server.url, path, `#${token}`);

  describe('GET /reset', () => {
    const linkTo = async (email: string) => {
      await context.server.anonymous.post('/v1/password-resets', { email });
      return context.server.mailedToken(email);
    };

    it('sets the new password when the button is pressed', async () => {
      const { server } = context;
      const ada = await server.person();
      const page = await open('/reset', await linkTo(ada.email));
      expect([page.field.hidden, page.requests]).toEqual([false, []]);
      page.password.value = 'password1';
      expect(await page.press()).toMatch(/^The password .*common/);
      page.password.value = 'a new password of the owner';
      page.revoke.checked = true;
      expect(await page.press()).toBe('Your new password is set. You can sign in now.');
      expect(JSON.parse(page.requests.at(-1) as string)).toMatchObject({ revokeApiKeys: true });
      expect([page.field.hidden, page.button.hidden]).toEqual([true, true]);
      const [{ path, fields }] = signIns as [(typeof signIns)[number]];
      const body = { email: ada.email, password: page.password.value, ...fields };
      expect((await server.anonymous.post(path, body)).status).toBe(201);
    });

    it('says that a link was used', async () => {
      const token = await linkTo((await context.server.person()).email);
      for (const text of ['Your new password is set', 'This link is no longer valid']) {
        const page = await open('/reset', token);
        page.password.value = 'a new password of the owner';
        expect(await page.press()).toContain(text);
      }
    });
  });

  describe('GET /undo', () => {
    it('undoes a change of the address when the button is pressed, unless the address is taken', async () => {
      const { server } = context;
      const ada = await server.person();
      const email = 'changed@example.com';
      await (await signIn(ada)).put('/v1/users/me/email', { email });
      const confirm = await open('/verify', await server.mailedToken(email));
      expect(await confirm.press()).toBe('Thank you. Your address is confirmed. You can sign in now.');
      const token = await server.mailedToken(ada.email);
      const other = await server.person({ email: ada.email });
      expect(await (await open('/undo', token)).press()).toMatch(
        /^Another account of yours has this address/,
      );
      await server.query('DELETE FROM subjects WHERE id = $1', [other.id]);
      expect(await (await open('/undo', token)).press()).toMatch(/^Your account has its old address again/);
    });
  });
});
