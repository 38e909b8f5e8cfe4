import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { built } from '../../support/build.js';
import { createDatabase, type TestDatabase } from '../../support/databases.js';
import { runCommand } from '../../support/commands.js';

const ENCRYPTION_SECRETS = 'a-secret-for-tests-of-32-characters-and-more';

describe('a start with METRICS_PORT', () => {
  let database: TestDatabase;
  const taken = createServer();
  const takenPort = () => String((taken.address() as AddressInfo).port);

  beforeAll(async () => {
    database = await createDatabase();
    taken.listen(0, '127.0.0.1');
    await once(taken, 'listening');
  });
  afterAll(async () => {
    taken.close();
    await database.drop();
  });

  /** Starts the server, which must end. */
  async function start(env: Record<string, string>): Promise<{ code: number | null; output: string }> {
    const { PATH } = process.env;
    const own = { NODE_ENV: 'test', HOST: '127.0.0.1', DATABASE_URL: database.url, ENCRYPTION_SECRETS };
    const child = spawn(process.execPath, [built('src/main.js')], { env: { PATH, ...own, ...env } });
    let output = '';
    child.stdout.on('data', (chunk) => (output += chunk));
    child.stderr.on('data', (chunk) => (output += chunk));
    const [code] = (await once(child, 'close')) as [number | null];
    return { code, output };
  }

  it('exits with 78 if it is not a port', async () => {
    const { code, output } = await start({ PORT: '0', METRICS_PORT: 'ninety' });
    expect(code).toBe(78);
    expect(output).toContain('METRICS_PORT: must be a whole number');
    expect(output).not.toContain('ninety');
  });

  it('exits with 78 if it is the same as PORT', async () => {
    const { code, output } = await start({ PORT: '3999', METRICS_PORT: '3999' });
    expect(code).toBe(78);
    expect(output).toContain(
      'METRICS_PORT: must not be the same as PORT, because metrics must not be public',
    );
  });

  it('names METRICS_PORT if that port is in use', async () => {
    const { code, output } = await start({ PORT: '0', METRICS_PORT: takenPort() });
    expect(code).toBe(1);
    expect(output).toContain(
      `Port ${takenPort()} is in use. Stop the other server, or set METRICS_PORT to another port.`,
    );
  });

  it('does not keep a command from running beside a server', async () => {
    const { code, stdout } = await runCommand('routes', [], {
      DATABASE_URL: database.url,
      METRICS_PORT: takenPort(),
    });
    expect([code, stdout]).toEqual([0, expect.stringContaining('/health/ready')]);
  });
});
