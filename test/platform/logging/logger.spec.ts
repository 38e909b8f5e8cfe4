import { execFileSync } from 'node:child_process';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { built } from '../../support/build.js';

/** What a process of its own prints on standard output for one entry. */
function printed(environment: string): string {
  const logger = pathToFileURL(built('src/platform/logging/logger.js')).href;
  const fields = pathToFileURL(built('src/platform/logging/secret-fields.js')).href;
  const script = `const { createLogger } = await import('${logger}');
    (await import('${fields}')).defineSecretFields('key');
    createLogger({ LOG_LEVEL: 'info', NODE_ENV: '${environment}' }).info({ status: 200, key: 'a secret' }, 'hello');`;
  return execFileSync(process.execPath, ['--input-type=module', '--eval', script], { encoding: 'utf8' });
}

describe('the log', () => {
  it('is one line for people in development', () => {
    expect(printed('development')).toMatch(
      /^\[\d\d:\d\d:\d\d\.\d{3}\] INFO: hello \{"status":200,"key":"\[secret\]"\}\n$/,
    );
  });

  it('[V16.2.4] is one JSON object a line in production', () => {
    expect(JSON.parse(printed('production'))).toEqual({
      level: 'info',
      time: expect.any(String),
      status: 200,
      key: '[secret]',
      msg: 'hello',
    });
  });
});
