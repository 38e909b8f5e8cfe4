import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { useServer } from '../../support/server.js';

const ROOT = join(import.meta.dirname, '../../..');

describe('the API reference', () => {
  const context = useServer();

  it('has no fault that Redocly finds', async () => {
    const { body } = await context.server.anonymous.get('/openapi.json');
    const directory = await mkdtemp(join(tmpdir(), 'auth-modes-openapi-'));
    const file = join(directory, 'openapi.json');
    await writeFile(file, JSON.stringify(body, null, 2));
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [join(ROOT, 'node_modules/@redocly/cli/bin/cli.js'), 'lint', file, '--format', 'json'],
      {
        cwd: ROOT,
        env: { ...process.env, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' },
      },
    ).catch((failed: { stdout: string }) => failed);
    await rm(directory, { recursive: true });
    expect(JSON.parse(stdout).problems).toEqual([]);
  });
});
