import { describe, expect, it } from '@jest/globals';
import { defineCredentialKind } from '../../src/auth/credential-kinds.js';
import { randomSecret } from '../../src/platform/crypto/secret.js';
import { runCommand } from '../support/commands.js';
import { inspect } from '../support/inspect.js';

const PROBE = 'probe_0123456789';
defineCredentialKind({
  name: 'probe credential',
  places: [{ type: 'header', name: 'X-Probe' }],
  options: { probe: { example: 'x', meaning: 'an option of a kind' } },
  recognises: (text) => text.startsWith('probe_'),
  examine: (text, { given }) => ({
    prefix: 'probe_',
    faults: text === PROBE ? [] : ['malformed probe'],
    facts: [['option', given['probe'] ?? 'none']],
    unchecked: 'nothing else',
  }),
});

describe('npm run inspect', () => {
  it('explains a credential with and without its header, and repeats only its prefix', async () => {
    for (const text of [PROBE, `X-Probe: ${PROBE}`, `x-probe:${PROBE}`, `-H 'X-Probe: ${PROBE}' \\`]) {
      const output = await inspect(text);
      expect(output).toMatch(/^probe credential/);
      expect(output).toMatch(/prefix +probe_\n +length +16 characters\n +form +accepted\n/);
      expect(output).not.toContain(PROBE.slice(6));
    }
  });

  it('names the fault of a malformed credential', async () => {
    expect(await inspect('probe_1')).toMatch(/refused +malformed probe/);
  });

  it('passes the options that a kind declares', async () => {
    expect(await inspect(PROBE, ['--probe', 'a'])).toMatch(/option +a$/m);
  });

  it('explains each line, and skips headers without a credential', async () => {
    const output = await inspect(`Host: auth.example.com\nX-Probe: ${PROBE}\r\n\nprobe_2\n`);
    expect(output.match(/^probe credential/gm)).toHaveLength(2);
  });

  it('says that the place of a credential is wrong', async () => {
    const output = await inspect(`Authorization: Other ${PROBE}`);
    expect(output).toMatch(/refused +not accepted in Authorization with another scheme/);
    expect(output).not.toContain('Other');
  });

  it.each([
    ['text', 'correct horse', /white space/],
    ['a variable without a value', '$TOKEN', /name of a variable/],
    ['quotes', `"x${PROBE}"`, /quotes/],
    ['a shortened text', 'abc...', /shortened/],
    ['other characters', 'ключ', /other than ASCII/],
    [
      'an unknown scheme',
      `Authorization: Swordfish ${'x'.repeat(20)}`,
      /expected +no credential in this place/,
    ],
  ])('calls %s unknown, and does not repeat it', async (_what, text, note) => {
    const output = await inspect(text);
    expect(output).toMatch(/^Unknown: /);
    expect(output).toMatch(note);
    for (const word of text.replace('Authorization: ', '').match(/[\p{L}$]{3,}/gu) ?? [])
      expect(output).not.toContain(word);
  });

  it('says that a header is empty', async () => {
    expect(await inspect('X-Probe:')).toMatch(/refused +malformed probe\n.*\n +note +the value is empty/);
  });

  it('prints no control characters', async () => {
    expect(await inspect(PROBE, ['--probe', 'a\u001b[2J\u202e'])).toContain('a\\u{1b}[2J\\u{202e}');
  });

  it.each([
    ['nothing', '', /must contain a credential/],
    ['headers without a credential', 'Host: example.com\nAccept: */*', /none that carries a credential/],
    ['more than 64 KiB', undefined, /at most 65536 bytes/],
  ])('refuses %s', async (_what, text, message) => {
    await expect(inspect(text)).rejects.toThrow(
      expect.objectContaining({ name: 'UsageError', message: expect.stringMatching(message) }),
    );
  });

  it('refuses a credential as an argument, says why, and does not repeat it', async () => {
    for (const argv of [[PROBE], ['--probe', PROBE], [`--probe=${PROBE}`]]) {
      const refusal = await inspect('', argv).catch((error: Error) => error);
      expect(refusal).toMatchObject({ name: 'UsageError' });
      expect(String(refusal)).toMatch(/every process of this machine can read arguments/);
      expect(String(refusal)).not.toContain(PROBE);
    }
  });

  it('needs no database', async () => {
    const env = { DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none' };
    const secret = randomSecret();
    const { code, stdout, stderr } = await runCommand(
      'inspect',
      [],
      env,
      `Authorization: Bearer ${secret}\n`,
    );
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/43 characters/);
    expect(stdout).not.toContain(secret);
  });
});
