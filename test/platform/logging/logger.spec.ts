import { execFileSync, spawn } from 'node:child_process';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { built } from '../../support/build.js';

const DEFINED = `const { createLogger, lostLines } = await import('${pathToFileURL(built('src/platform/logging/logger.js')).href}');
  (await import('${pathToFileURL(built('src/platform/logging/secret-fields.js')).href}')).defineSecretFields('key');`;
const HELLO = "logger.info({ status: 200, key: 'a secret' }, 'hello');";

const argumentsOf = (environment: string, work: string) => [
  '--input-type=module',
  '--eval',
  `${DEFINED}\nconst logger = createLogger({ LOG_LEVEL: 'info', NODE_ENV: '${environment}' });\n${work}`,
];

/** What a process of its own prints on standard output, however it ends. */
function printed(environment: string, work = HELLO): string {
  try {
    return execFileSync(process.execPath, argumentsOf(environment, work), {
      encoding: 'utf8',
      stdio: 'pipe',
    });
  } catch (error) {
    return (error as { stdout: string }).stdout;
  }
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

  it.each([
    ['it ends by itself', ''],
    ['process.exit()', 'process.exit(3);'],
    ['an error that nothing catches', "throw new Error('x');"],
    ['a fatal error and a kill', "logger.fatal('dying'); process.kill(process.pid, 'SIGKILL');"],
  ])('[V16.2.4] is complete in production at the end of the process: %s', (_name, end) => {
    const other = "createLogger({ LOG_LEVEL: 'info', NODE_ENV: 'production' }).info('another logger');";
    const lines = printed('production', `${HELLO} ${other} ${end}`).trimEnd().split('\n');
    const messages = lines.map((line) => (JSON.parse(line) as { msg: string }).msg);
    expect(messages.slice(0, 2)).toEqual(['hello', 'another logger']);
  });

  it('says that lines were lost and counts them, if nothing read them for too long', async () => {
    const work = `const line = 'x'.repeat(10_000);
      for (let i = 0; i < 5_000; i += 1) logger.info(line);
      process.send('written');
      process.on('message', () => process.send(lostLines()));
      setTimeout(() => undefined, 60_000);`;
    const child = spawn(process.execPath, argumentsOf('production', work), {
      stdio: ['ignore', 'pipe', 'ignore', 'ipc'],
    });
    try {
      await new Promise((resolve) => child.once('message', resolve));
      let text = '';
      for await (const chunk of child.stdout!.setEncoding('utf8')) {
        text = (text + String(chunk)).slice(-20_000);
        if (text.includes('lines of the log were lost')) break;
      }
      expect(text).toContain('lines of the log were lost, because standard output was full');
      const lost = new Promise((resolve) => child.once('message', resolve));
      child.send('lost?');
      // 50 MB were written, and at most 16 MB of them are kept.
      expect(await lost).toBeGreaterThan(3_000);
      expect(await lost).toBeLessThan(5_000);
    } finally {
      child.kill('SIGKILL');
    }
  });
});
