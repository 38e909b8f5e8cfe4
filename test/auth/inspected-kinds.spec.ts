import { describe, expect, it } from '@jest/globals';
import { randomSecret } from '../../src/platform/crypto/secret.js';
// room: mfa
import { randomBase32 } from '../../src/platform/crypto/base32.js';
// /room
// room: api-keys
import { generateKey } from '../../src/modes/api-keys/api-key.format.js';
// /room
// room: sessions
import { csrfTokenOf } from '../../src/modes/sessions/session-cookie.js';
// /room
import { inspect } from '../support/inspect.js';

const secret = randomSecret();
/** The last character has bits that no encoder sets. */
const malformed = `${secret.slice(0, -1)}B`;

describe('npm run inspect', () => {
  it('says nothing about a text of another form', async () => {
    expect(await inspect('x'.repeat(43))).toMatch(/^Unknown: /);
    expect(await inspect(malformed)).toMatch(/^Unknown: /);
  });

  // room: sessions
  describe('with a session', () => {
    it('explains the cookie from Cookie and from Set-Cookie', async () => {
      for (const line of [
        `Cookie: theme=dark; __Host-session=${secret}`,
        `set-cookie: __Host-session=${secret}; Path=/; HttpOnly`,
        `__Host-session=${secret}`,
      ]) {
        const output = await inspect(line);
        expect(output).toMatch(/^session cookie, in the cookie __Host-session\n/);
        expect(output).toMatch(/form +accepted/);
        expect(output).not.toContain(secret);
      }
    });

    it('refuses a malformed cookie, and two of them', async () => {
      expect(await inspect(`Cookie: __Host-session=${malformed}`)).toMatch(
        /refused +malformed session cookie/,
      );
      const two = await inspect(`Cookie: __Host-session=${secret}; __Host-session=${randomSecret()}`);
      expect(two.match(/refused +two session cookies/g)).toHaveLength(2);
    });

    it('tells whether a CSRF token belongs to the cookie', async () => {
      const token = csrfTokenOf(secret);
      expect(await inspect(`X-CSRF-Token: ${token}`)).toMatch(/^CSRF token, .*\n[^]*Add the Cookie header/);
      expect(await inspect('X-CSRF-Token: undefined')).toMatch(/refused +wrong X-CSRF-Token/);
      const right = await inspect(`Cookie: __Host-session=${secret}\nX-CSRF-Token: ${token}`);
      expect(right).toMatch(/session +belongs to the session cookie/);
      const wrong = await inspect(`Cookie: __Host-session=${randomSecret()}\nX-CSRF-Token: ${token}`);
      expect(wrong).toMatch(/refused +wrong X-CSRF-Token/);
    });

    it('names all kinds of one form for a secret without its header', async () => {
      expect(await inspect(secret)).toMatch(/\bsession cookie\b/);
      expect(await inspect(secret)).toMatch(/\bCSRF token\b/);
    });
  });
  // /room

  // room: api-keys
  describe('with an API key', () => {
    const key = generateKey('test').key.reveal();

    it('explains its environment and checksum', async () => {
      for (const line of [key, `X-API-Key: ${key}`, `Authorization: ApiKey ${key}`]) {
        const output = await inspect(line);
        expect(output).toMatch(/^API key/);
        expect(output).toMatch(/prefix +nk_test_\n/);
        expect(output).toMatch(/checksum +right/);
        expect(output).not.toContain(key.slice(8));
      }
    });

    it('refuses a key with a typo, of another environment, or of another form', async () => {
      const typo = `${key.slice(0, -1)}${key.endsWith('0') ? '1' : '0'}`;
      expect(await inspect(typo)).toMatch(/refused +wrong checksum of the key\n[^]*checksum +wrong/);
      const env = { API_KEY_ENVIRONMENT: 'live' };
      expect(await inspect(key, [], env)).toMatch(
        /refused +key of another environment\n +environment +test \(this server: live\)/,
      );
      expect(await inspect(`X-API-Key: ${secret}x`)).toMatch(/^API key.*\n.*\n +refused +malformed key/);
    });

    it('refuses a key in the place of another credential', async () => {
      expect(await inspect(`Authorization: Bearer ${key}`)).toMatch(/refused +not accepted in Authorization/);
    });
  });
  // /room

  // room: opaque-tokens
  it('explains an opaque access token', async () => {
    const output = await inspect(`Authorization: bearer at_${secret}`);
    expect(output).toMatch(
      /^opaque access token, in Authorization: bearer\n +prefix +at_\n[^]*form +accepted/,
    );
    expect(output).not.toContain(secret);
    expect(await inspect(`at_${malformed}`)).toMatch(/refused +malformed opaque token/);
  });
  // /room

  // room: tokens
  it('explains a refresh token, and refuses it as a bearer token', async () => {
    expect(await inspect(`__Host-refresh=rt_${secret}`)).toMatch(
      /^refresh token, .*\n +prefix +rt_\n[^]*accepted/,
    );
    expect(await inspect(`rt_${malformed}`)).toMatch(/refused +malformed\n/);
    expect(await inspect(`Bearer rt_${secret}`)).toMatch(
      /^refresh token[^]*refused +not accepted in Authorization/,
    );
  });
  // /room

  // room: oauth, api-keys
  it('explains the key in HTTP Basic', async () => {
    const basic = (text: string) => `Authorization: Basic ${Buffer.from(text).toString('base64')}`;
    const output = await inspect(basic(`id:${generateKey('test').key.reveal()}`));
    expect(output).toMatch(/^OAuth client authentication[^]*form +accepted/);
    expect(await inspect(basic('id:x'))).toMatch(/refused +malformed key/);
    expect(await inspect(basic('no colon'))).toMatch(/refused +no secret/);
  });
  // /room

  // room: mfa
  it('explains recovery codes and codes of an app', async () => {
    const code = randomBase32(24).replaceAll(/.{6}(?=.)/g, '$&-');
    const output = await inspect(code.toLowerCase());
    expect(output).toMatch(/^recovery code\n/);
    expect(output.toUpperCase()).not.toContain(code);
    expect(await inspect(`${code}0`)).toMatch(/^Unknown: /);
    expect(await inspect(code.replace(/^./, 'U'))).toMatch(/^Unknown: /);
    expect(await inspect('123456')).toMatch(/^code of an authenticator app\n/);
    expect(await inspect(secret)).toContain('mfaToken of an unfinished sign-in');
  });
  // /room

  // room: anomalies
  it('explains a sign-in code from a mail', async () => {
    expect(await inspect('12345678')).toMatch(/^sign-in code from a mail\n/);
    expect(await inspect('123456789')).toMatch(/^Unknown: /);
  });
  // /room

  // room: users
  it('explains the link in a mail', async () => {
    const output = await inspect(`https://auth.example.com/verify#${secret}`);
    expect(output).toMatch(/^link in a mail, or its token\n[^]*token +43 characters/);
    expect(output).not.toContain(secret);
    expect(await inspect(`https://auth.example.com/verify#${malformed}`)).toMatch(/^Unknown: /);
  });
  // /room

  // room: attempt-limits
  it('explains the device cookie', async () => {
    expect(await inspect(`Cookie: __Host-device=${secret}`)).toMatch(/^device cookie, [^]*no credential/);
    expect(await inspect(`Cookie: __Host-device=${malformed}`)).toMatch(/refused +malformed device cookie/);
  });
  // /room
});
