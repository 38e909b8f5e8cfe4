import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { built } from '../support/build.js';
import { createDatabase } from '../support/databases.js';
import { removeCluster } from '../support/embedded-cluster.js';

const PERSON = JSON.stringify({ email: 'ada@example.com', password: 'correct horse battery staple' });

/** The server as `npm start` starts it, on its own embedded database. */
class Started {
  output = '';
  readonly exited: Promise<number | null>;
  private constructor(readonly child: ChildProcess) {
    child.stdout!.on('data', (chunk) => (this.output += chunk));
    child.stderr!.on('data', (chunk) => (this.output += chunk));
    this.exited = new Promise((resolve) => child.on('close', resolve));
  }

  static run(env: NodeJS.ProcessEnv): Started {
    const { PATH } = process.env;
    return new Started(spawn(process.execPath, [built('src/main.js')], { env: { PATH, PORT: '0', ...env } }));
  }

  /** The URL that it prints once it listens. */
  async url(): Promise<string> {
    for (;;) {
      const url = /listens at\s+(\S+)/.exec(this.output)?.[1];
      if (url) return url;
      if (this.child.exitCode !== null) throw new Error(`the server ended:\n${this.output}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

const post = (url: string, body = PERSON) =>
  fetch(url, { method: 'POST', body, headers: { 'Content-Type': 'application/json' } });

describe('the start', () => {
  let directory: string;
  const running: Started[] = [];
  const start = (env: NodeJS.ProcessEnv = {}) => {
    const started = Started.run({ DATA_DIRECTORY: directory, ...env });
    running.push(started);
    return started;
  };

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'auth-modes-start-'));
  });
  afterEach(async () => {
    for (const { child } of running.splice(0)) if (child.exitCode === null) child.kill('SIGKILL');
    await removeCluster(directory);
    await rm(directory, { recursive: true, force: true });
  });

  it('names HOST where it is no address of this machine, and exits with 78', async () => {
    const database = await createDatabase();
    for (const HOST of ['no-such-host.invalid', '192.0.2.1']) {
      const server = start({ DATABASE_URL: database.url, HOST });
      expect(await server.exited).toBe(78);
      expect(server.output).toContain('HOST: must be a name or an address of this machine');
      expect(server.output).not.toContain('database');
    }
    await database.drop();
  });

  it('brings a database along, keeps it, ends with 0 on SIGTERM, and leaves no process', async () => {
    const first = start();
    const url = await first.url();
    expect(first.output).toContain(`${url}/docs`);
    expect(first.output).toContain(`curl ${url}/v1/users`);
    expect((await fetch(`${url}/health/ready`)).status).toBe(200);
    expect((await post(`${url}/v1/users`)).status).toBe(202);

    // A sign-in is under way for some 30 ms: long enough for the signal to come in the middle.
    const inFlight = post(`${url}/v1/sessions`);
    await new Promise((resolve) => setTimeout(resolve, 5));
    first.child.kill('SIGTERM');
    expect((await inFlight).status).toBe(201);
    expect(await first.exited).toBe(0);

    const second = start();
    expect((await post(`${await second.url()}/v1/sessions`)).status).toBe(201);
    second.child.kill('SIGINT');
    expect(await second.exited).toBe(0);
  });

  it('finds its data after it was killed', async () => {
    const first = start();
    await post(`${await first.url()}/v1/users`);
    first.child.kill('SIGKILL');
    await first.exited;
    const second = start();
    expect((await post(`${await second.url()}/v1/sessions`)).status).toBe(201);
    second.child.kill('SIGTERM');
    expect(await second.exited).toBe(0);
  });

  it('refuses bad variables, all of them at once, without their values', async () => {
    const server = start({ PORT: 'eighty', ACCESS_TOKEN_TTL: '3h', SMTP_URL: 'http://secret@example.com' });
    expect(await server.exited).toBe(78);
    for (const name of ['PORT', 'ACCESS_TOKEN_TTL', 'SMTP_URL']) expect(server.output).toContain(name);
    for (const value of ['eighty', '3h', 'secret']) expect(server.output).not.toContain(value);
  });

  it('refuses production without a database, an https issuer and secrets', async () => {
    const server = start({ NODE_ENV: 'production' });
    expect(await server.exited).toBe(78);
    for (const name of ['DATABASE_URL', 'ISSUER', 'ENCRYPTION_SECRETS', 'SMTP_URL'])
      expect(server.output).toContain(name);
  });

  it('uses the database that DATABASE_URL names, and warns of long lifetimes', async () => {
    const database = await createDatabase({ empty: true });
    const server = start({ DATABASE_URL: database.url, SESSION_TTL: '8d', REFRESH_TOKEN_TTL: '31d' });
    expect((await post(`${await server.url()}/v1/users`)).status).toBe(202);
    server.child.kill('SIGTERM');
    expect(await server.exited).toBe(0);
    for (const warning of ['SESSION_TTL is longer than 7 days', 'REFRESH_TOKEN_TTL is longer than 30 days'])
      expect(server.output).toContain(warning);
    await database.drop();
  });

  it('says plainly that a database cannot be reached, and ends', async () => {
    const server = start({ DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none' });
    expect(await server.exited).toBe(1);
    expect(server.output).toContain('cannot be reached');
    expect(server.output).not.toContain('    at ');
  });
});
