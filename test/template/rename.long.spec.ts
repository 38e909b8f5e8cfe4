import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { Clone } from './clone.js';

const OLD_NAME = String.raw`(?i)auth[-_ ]?modes(?!\.[jt]s)(?<!AuthModes)|(?<![a-z0-9_])nk_`;

// Each test runs other runs of tests.
jest.setTimeout(3_600_000);

describe('npm run rename', () => {
  let clone: Clone;
  beforeAll(async () => {
    clone = await Clone.make();
  });
  afterAll(() => clone.delete());

  const rename = (name: string) =>
    clone.run(process.execPath, '--import', 'tsx', 'tools/rename/rename.ts', name);
  const grep = async (...options: string[]) => (await clone.run('git', 'grep', ...options)).output;

  it.each(['My App', 'my_app', '1app', 'a'.repeat(41)])('refuses the name %j', async (name) => {
    expect(await rename(name)).toEqual({
      status: 1,
      output: expect.stringContaining('must consist of lower-case words'),
    });
  });

  it('leaves no old name in the project', async () => {
    expect(await rename('my-app')).toMatchObject({ status: 0 });
    const lines = (await grep('-InP', OLD_NAME)).split('\n').filter(Boolean);
    expect(lines.filter((line) => !line.startsWith('LICENSE:'))).toEqual([]);
    expect(JSON.parse(await clone.read('package.json')).name).toBe('my-app');
    expect(await clone.read('docker-compose.yml')).toContain('POSTGRES_DB: my_app');
    expect(await grep('-l', 'myapp_')).toContain('api-key.format.ts');
  });

  it('removes itself', async () => {
    expect(await grep('-l', 'tools/rename')).toBe('');
    expect((await clone.run('git', 'ls-files', '-d')).output).toContain('tools/rename/rename.ts');
  });

  it('leaves a project that is formatted, and passes its tests', async () => {
    expect(await clone.npm('run', 'format:check')).toMatchObject({ status: 0 });
    const specs = [
      'docs.spec',
      'readme.spec',
      'api-key.format',
      'password-policy',
      'config.spec',
      'mail.spec',
    ];
    expect(await clone.npm('test', '--', ...specs)).toMatchObject({ status: 0 });
  });
});
