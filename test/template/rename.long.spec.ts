import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

describe('npm run rename', () => {
  let clone: string;

  const run = (program: string, ...options: string[]) =>
    spawnSync(program, options, { cwd: clone, encoding: 'utf8' });
  const rename = (name: string) => run(process.execPath, '--import', 'tsx', 'tools/rename/rename.ts', name);

  beforeAll(async () => {
    clone = await mkdtemp(join(tmpdir(), 'rename-'));
    expect(spawnSync('git', ['clone', '-q', process.cwd(), clone]).status).toBe(0);
    await symlink(join(process.cwd(), 'node_modules'), join(clone, 'node_modules'));
    // A link to node_modules is no folder, so .gitignore does not cover it.
    expect(run('sh', '-c', 'echo node_modules >> .git/info/exclude').status).toBe(0);
  });
  afterAll(() => rm(clone, { recursive: true }));

  it.each(['My App', 'my_app', '1app', 'a'.repeat(41)])('refuses the name %j', (name) => {
    const { status, stderr } = rename(name);
    expect({ status, stderr }).toEqual({
      status: 1,
      stderr: expect.stringContaining('must consist of lower-case words'),
    });
  });

  it('leaves no old name in the project', async () => {
    expect(rename('my-app')).toMatchObject({ status: 0, stderr: '' });
    const left = run(
      'git',
      'grep',
      '-InP',
      String.raw`(?i)auth[-_ ]?modes(?!\.[jt]s)(?<!AuthModes)|(?<![a-z0-9_])nk_`,
    );
    const lines = left.stdout.split('\n').filter((line) => line && !line.startsWith('LICENSE:'));
    expect(lines).toEqual([]);
    expect(JSON.parse(await readFile(join(clone, 'package.json'), 'utf8')).name).toBe('my-app');
    expect(await readFile(join(clone, 'docker-compose.yml'), 'utf8')).toContain('POSTGRES_DB: my_app');
    expect(run('git', 'grep', '-l', 'myapp_').stdout).toContain('api-key.format.ts');
  });

  it('removes itself', () => {
    expect(run('git', 'grep', '-l', 'tools/rename').stdout).toBe('');
    expect(run('git', 'ls-files', '-d').stdout).toContain('tools/rename/rename.ts');
  });
});
