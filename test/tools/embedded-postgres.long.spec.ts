import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { chmod, chown, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Client } from 'pg';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../tools/dev-postgres/embedded-postgres.js';
import { findBinaries } from '../../tools/dev-postgres/postgres-location.js';
import { built } from '../support/build.js';
import { until } from '../support/until.js';

const isRoot = process.getuid?.() === 0;
const isThorough = process.env['THOROUGH'] === '1';
/** What takes long and seldom breaks: `THOROUGH=1 npm run test:all -- test/tools`, as CI does. */
const onlyThorough = isThorough ? it : it.skip;
const onlyAsRoot = isRoot && isThorough ? it : it.skip;
const onlyOnLinux = process.platform === 'linux' ? it : it.skip;
const MODULE = 'tools/dev-postgres/embedded-postgres.js';
const CHILD = fileURLToPath(new URL('../support/embedded-postgres.child.mjs', import.meta.url));

const directories: string[] = [];
const servers: EmbeddedPostgres[] = [];
const children: ChildProcess[] = [];

async function newDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'pg-'));
  directories.push(directory);
  return directory;
}

let madeBefore: Promise<string> | undefined;

/** A directory with a cluster that was made before, as after a first run: making one takes a second, a copy none. */
async function usedDirectory(): Promise<string> {
  madeBefore ??= (async () => {
    const directory = await mkdtemp(join(tmpdir(), 'pg-'));
    await chmod(directory, 0o755); // so that root, too, finds the cluster in it
    await (await startEmbeddedPostgres({ directory, durable: false })).stop();
    return directory;
  })();
  const directory = await newDirectory();
  await chmod(directory, 0o755);
  spawnSync('cp', ['-a', `${await madeBefore}/.`, directory]);
  return directory;
}

async function start(directory: string, durable = false): Promise<EmbeddedPostgres> {
  const server = await startEmbeddedPostgres({ directory, durable });
  servers.push(server);
  return server;
}

interface Started {
  process: ChildProcess;
  url: string;
  owner: boolean;
}

async function startInChild(directory: string, ...options: string[]): Promise<Started> {
  const child = spawn(process.execPath, [CHILD, built(MODULE), directory, ...options], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  children.push(child);
  const [line] = await once(child.stdout, 'data');
  const { url, owner }: { url: string; owner: boolean } = JSON.parse(String(line));
  return { process: child, url, owner };
}

async function query(url: string, sql: string): Promise<unknown[]> {
  const client = new Client(url);
  await client.connect();
  try {
    return (await client.query({ text: sql, rowMode: 'array' })).rows.map((row: unknown[]) => row[0]);
  } finally {
    await client.end();
  }
}

const withDatabase = (url: string, name: string) => url.replace('/app?', `/${name}?`);
const withPassword = (url: string, password: string) => url.replace(/:[^:@]*@/, `:${password}@`);
const dataOf = (server: { url: string }) => new URL(server.url).searchParams.get('host')!;
const pidOf = async (data: string) =>
  Number.parseInt(await readFile(join(data, 'postmaster.pid'), 'utf8'), 10);

/** What runs on this data directory, as the system sees it. */
function serversOn(data: string): number[] {
  const processes = process.platform === 'linux' ? readdirSync('/proc').map(lineOf) : ps();
  const found = processes
    .filter((line) => line.includes(` -D ${data} `))
    .map((line) => line.trim().split(/ +/, 2).map(Number) as [pid: number, parent: number]);
  const pids = new Set(found.map(([pid]) => pid));
  // A server's child has the command line of its parent until it gives itself a title.
  return found.filter(([, parent]) => !pids.has(parent)).map(([pid]) => pid);
}

function lineOf(pid: string): string {
  try {
    // The name of the program is in parentheses, and may hold some itself.
    const [, parent] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)!.split(' ');
    return `${pid} ${parent} ${readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')}`;
  } catch {
    return '';
  }
}

function ps(): string[] {
  return spawnSync('ps', ['-axww', '-o', 'pid=,ppid=,command='], { encoding: 'utf8' }).stdout.split('\n');
}

function interrupt(pid: number): void {
  try {
    process.kill(pid, 'SIGINT');
  } catch {
    // It ended by itself.
  }
}

async function untilGone(data: string): Promise<void> {
  for (let i = 0; i < 500 && serversOn(data).length > 0; i++) await sleep(20);
}

async function removeEverything(): Promise<void> {
  for (const child of children.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
  for (const server of servers.splice(0)) await server.stop();
  for (const directory of directories.splice(0)) {
    const location = join(directory, 'postgres.location');
    const home = existsSync(location) ? (await readFile(location, 'utf8')).trim() : undefined;
    const data = join(home ?? directory, 'postgres');
    for (const pid of serversOn(data)) interrupt(pid);
    await untilGone(data);
    for (const path of home ? [home, directory] : [directory])
      await rm(path, { recursive: true, force: true });
  }
}

describe('a running embedded PostgreSQL', () => {
  let directory: string;
  let server: EmbeddedPostgres;

  beforeAll(async () => {
    directory = await newDirectory();
    server = await start(directory);
  });
  afterAll(removeEverything);

  it('is reached by pg and by psql', async () => {
    expect(await query(server.url, 'select current_user')).toEqual(['app']);
    const psql = spawnSync('psql', [server.url, '-XAtc', 'select current_database()'], { encoding: 'utf8' });
    if (!psql.error) expect(psql).toMatchObject({ stdout: 'app\n', stderr: '' });
  });

  it('has the settings that the project counts on', async () => {
    const names = [
      'TimeZone',
      'log_timezone',
      'server_encoding',
      'max_connections',
      'listen_addresses',
      'fsync',
    ];
    const sql = `select string_agg(current_setting(name), ' ' order by n) from unnest('{${names.join()}}'::text[]) with ordinality as t(name, n)`;
    expect(await query(server.url, sql)).toEqual(['UTC UTC UTF8 200  off']);
    expect(
      await query(server.url, 'select datcollate from pg_database where datname = current_database()'),
    ).toEqual(['C']);
  });

  it('lets the application manage only its own databases', async () => {
    await query(server.url, 'create database template_of_ours');
    await query(server.url, 'create database copy template template_of_ours strategy file_copy');
    const client = new Client(withDatabase(server.url, 'copy'));
    const ended = new Promise((resolve) => client.on('error', resolve));
    await client.connect();
    const mine = "select pg_terminate_backend(pid) from pg_stat_activity where datname = 'copy'";
    expect(await query(server.url, mine)).toEqual([true]);
    await expect(ended).resolves.toMatchObject({ code: '57P01' });
    await query(server.url, 'drop database copy with (force)');
    const rights = 'select rolsuper or rolcreaterole or rolreplication or rolbypassrls from pg_roles';
    expect(await query(server.url, `${rights} where rolname = current_user`)).toEqual([false]);
  });

  it('refuses a wrong password, and the superuser without one', async () => {
    await expect(query(withPassword(server.url, 'wrong'), 'select 1')).rejects.toMatchObject({
      code: '28P01',
    });
    const superuser = server.url.replace('//app:', '//postgres:');
    await expect(query(superuser, 'select 1')).rejects.toMatchObject({ code: '28P01' });
    const rules = (await readFile(join(dataOf(server), 'pg_hba.conf'), 'utf8')).split('\n');
    for (const rule of rules.filter((line) => /^(local|host)/.test(line)))
      expect(rule).toMatch(/scram-sha-256$/);
  });

  it('does not reveal its password', async () => {
    const { password } = new URL(server.url);
    const file = join(directory, 'postgres.password');
    expect(await readFile(file, 'utf8')).toBe(password);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(statSync(dataOf(server)).mode & 0o777).toBe(0o700);
    expect((await readdir(dirname(dataOf(server)))).filter((name) => name.includes('.new-'))).toEqual([]);
  });

  onlyOnLinux(
    'has a process group of its own, another user than root, and nothing of our environment',
    async () => {
      const pid = await pidOf(dataOf(server));
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
      expect(stat[2]).toBe(String(pid));
      expect(readFileSync(`/proc/${pid}/status`, 'utf8')).not.toMatch(/^[UG]id:.*\t0\b/m);
      const names = readFileSync(`/proc/${pid}/environ`, 'utf8')
        .split('\0')
        .map((line) => line.split('=')[0]);
      expect(
        names.filter((name) => name && !['PATH', 'LC_ALL', 'PG_GRANDPARENT_PID'].includes(name)),
      ).toEqual([]);
    },
  );
});

describe('startEmbeddedPostgres', () => {
  afterEach(removeEverything);
  afterAll(async () => {
    if (madeBefore) await rm(await madeBefore, { recursive: true, force: true });
  });

  it('keeps the data from one run to the next', async () => {
    const directory = await newDirectory();
    const first = await start(directory);
    await query(first.url, 'create table kept as select 42 as answer');
    await first.stop();
    const second = await start(directory);
    expect(second).toMatchObject({ owner: true, url: first.url });
    expect(await query(second.url, 'select answer from kept')).toEqual([42]);
  });

  it('attaches as a guest while the owner lives, and a guest stops nothing', async () => {
    const directory = await usedDirectory();
    const owner = await startInChild(directory);
    const guest = await start(directory);
    expect([owner.owner, guest.owner, guest.url]).toEqual([true, false, owner.url]);
    await guest.stop();
    expect(await query(guest.url, 'select 1')).toEqual([1]);
  });

  it('starts again at once after the owner was killed, with one server and all the data', async () => {
    const directory = await usedDirectory();
    const owner = await startInChild(directory);
    await query(owner.url, 'create table kept as select 42 as answer');
    owner.process.kill('SIGKILL');
    await once(owner.process, 'exit');
    const next = await start(directory);
    expect(next).toMatchObject({ owner: true, url: owner.url });
    expect(await query(next.url, 'select answer from kept')).toEqual([42]);
    expect(serversOn(dataOf(next))).toEqual([await pidOf(dataOf(next))]);
  });

  it('replaces a server that has outlived its owner', async () => {
    const directory = await usedDirectory();
    const data = dataOf(await start(directory));
    const orphan = await pidOf(data);
    await writeFile(join(directory, 'postgres.owner'), `${deadProcess()} 1`);
    expect((await start(directory)).owner).toBe(true);
    const pid = await pidOf(data);
    expect(pid).not.toBe(orphan);
    expect(serversOn(data)).toEqual([pid]);
  });

  onlyThorough('does not take a recycled process id for the owner', async () => {
    const directory = await usedDirectory();
    await start(directory);
    await writeFile(join(directory, 'postgres.owner'), `${process.pid} 1`);
    expect((await start(directory)).owner).toBe(true);
  });

  onlyThorough('recovers after the server itself was killed, once its last query has ended', async () => {
    const directory = await usedDirectory();
    const first = await start(directory, true);
    await query(first.url, 'create table kept as select 42 as answer');
    const client = new Client(first.url);
    client.on('error', () => {});
    await client.connect();
    const last = client.query('select count(*) from generate_series(1, 5000000)');
    await sleep(50);
    process.kill(await pidOf(dataOf(first)), 'SIGKILL');
    const second = await start(directory, true);
    expect(await query(second.url, 'select answer from kept')).toEqual([42]);
    expect((await last).rows).toEqual([{ count: '5000000' }]);
    await first.stop();
    expect(await query(second.url, 'select 1')).toEqual([1]);
  });

  it('is neither blocked by a stale postmaster.pid that names an innocent process, nor signals that', async () => {
    const directory = await usedDirectory();
    const first = await start(directory);
    const data = dataOf(first);
    const lines = (await readFile(join(data, 'postmaster.pid'), 'utf8')).split('\n');
    await first.stop();
    const { uid, gid } = statSync(data);
    const innocent = spawn('sleep', ['60'], isRoot ? { uid, gid } : {});
    children.push(innocent);
    await once(innocent, 'spawn');
    await writeFile(join(data, 'postmaster.pid'), [innocent.pid, ...lines.slice(1)].join('\n'), {
      mode: 0o600,
    });
    if (isRoot) await chown(join(data, 'postmaster.pid'), uid, gid);
    const second = await start(directory);
    expect(await query(second.url, 'select 1')).toEqual([1]);
    await second.stop();
    expect([innocent.exitCode, innocent.signalCode]).toEqual([null, null]);
  });

  it('gives two processes that start at once one server, with one owner', async () => {
    const directory = await newDirectory();
    const started = await Promise.all([startInChild(directory), startInChild(directory), start(directory)]);
    expect(started.filter(({ owner }) => owner)).toHaveLength(1);
    for (const { url } of started) expect(await query(url, 'select 1')).toEqual([1]);
    expect(serversOn(dataOf(started[0]))).toHaveLength(1);
  });

  onlyThorough('is not blocked by the lock of a dead process', async () => {
    const directory = await usedDirectory();
    await writeFile(join(directory, 'postgres.lock'), `${deadProcess()} 1`);
    await Promise.all([start(directory), start(directory), start(directory)]);
    expect(servers.filter(({ owner }) => owner)).toHaveLength(1);
    expect((await readdir(directory)).filter((name) => name.includes('lock'))).toEqual([]);
  });

  onlyThorough('makes the cluster anew after being killed in the middle of that', async () => {
    const root = await newDirectory();
    await chmod(root, 0o755);
    const directory = join(root, '.data');
    const child = spawn(process.execPath, [CHILD, built(MODULE), directory], { stdio: 'ignore' });
    children.push(child);
    const halfMade = () =>
      existsSync(directory) && readdirSync(directory).some((name) => /new-\w+$/.test(name));
    await until(halfMade);
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(halfMade()).toBe(true);
    expect(await query((await start(directory)).url, 'select 1')).toEqual([1]);
    expect((await readdir(directory)).filter((name) => name.includes('.new-'))).toEqual([]);
  });

  onlyThorough('sets aside what is in the place of the cluster and is none', async () => {
    const directory = await newDirectory();
    const first = await start(directory);
    await first.stop();
    const data = dataOf(first);
    await rm(join(data, 'PG_VERSION'));
    expect(await query((await start(directory)).url, 'select 1')).toEqual([1]);
    const names = await readdir(dirname(data));
    expect(names.filter((name) => name.startsWith('postgres.incomplete-'))).toHaveLength(1);
  });

  onlyThorough(
    'makes a new cluster where the old one was deleted, and a new password where that was',
    async () => {
      const directory = await newDirectory();
      const first = await start(directory);
      await first.stop();
      await rm(dirname(dataOf(first)) === directory ? dataOf(first) : dirname(dataOf(first)), {
        recursive: true,
      });
      const second = await start(directory);
      await query(second.url, 'create table kept as select 42 as answer');
      await second.stop();
      await rm(join(directory, 'postgres.password'));
      const third = await start(directory);
      expect(await query(third.url, 'select answer from kept')).toEqual([42]);
      expect(new Set([first.url, second.url, third.url]).size).toBe(3);
    },
  );

  it('listens on a loopback port if the path is too long for a socket', async () => {
    const root = await newDirectory();
    await chmod(root, 0o755);
    const directory = join(root, 'x'.repeat(80));
    const server = await start(directory);
    expect(server.url).toMatch(/^postgres:\/\/app:[\w-]{32}@127\.0\.0\.1:\d+\/app$/);
    expect(await query(server.url, 'select 1')).toEqual([1]);
    expect((await start(directory)).url).toBe(server.url);
    await expect(query(withPassword(server.url, 'wrong'), 'select 1')).rejects.toMatchObject({
      code: '28P01',
    });
  });

  onlyThorough('can live under a path with spaces, quotes and commas', async () => {
    const root = await newDirectory();
    await chmod(root, 0o755);
    const server = await start(join(root, `it's "a", b`));
    expect(await query(server.url, 'select 1')).toEqual([1]);
  });

  it('leaves no process when it is stopped, be it twice', async () => {
    const server = await start(await usedDirectory());
    const data = dataOf(server);
    const pid = await pidOf(data);
    const client = new Client(server.url);
    client.on('error', () => {});
    await client.connect();
    await Promise.all([server.stop(), server.stop()]);
    expect(serversOn(data)).toEqual([]);
    expect(() => process.kill(pid, 0)).toThrow('ESRCH');
    await server.stop();
  });

  onlyThorough('does not keep the process alive', async () => {
    const { process: child, url } = await startInChild(await usedDirectory(), '--leave');
    if (child.exitCode === null) await once(child, 'exit');
    expect(child.exitCode).toBe(0);
    if (spawnSync('setpriv', ['--version']).status !== 0) return; // the next start would find the server
    await untilGone(dataOf({ url }));
    expect(serversOn(dataOf({ url }))).toEqual([]);
  });

  onlyThorough('says what PostgreSQL said when it does not start', async () => {
    const directory = await usedDirectory();
    const first = await start(directory);
    await first.stop();
    await writeFile(join(dataOf(first), 'postgresql.conf'), 'nonsense = on\n');
    await expect(start(directory)).rejects.toThrow('unrecognized configuration parameter "nonsense"');
  });

  it('asks for DATABASE_URL if the platform has no package', async () => {
    await expect(findBinaries('plan9', 'mips')).rejects.toThrow(
      /@embedded-postgres\/plan9-mips.*DATABASE_URL/,
    );
  });

  onlyAsRoot('keeps the cluster in the directory where an ordinary user can enter that', async () => {
    const root = await newDirectory();
    await chmod(root, 0o755);
    const directory = join(root, '.data');
    expect(dataOf(await start(directory))).toBe(join(directory, 'postgres'));
  });

  onlyAsRoot('gives a new cluster to the user of PostgreSQL, and one that exists to its owner', async () => {
    const idOf = (user: string) => spawnSync('id', ['-u', user], { encoding: 'utf8' }).stdout.trim();
    const preferred = [process.platform === 'darwin' ? '_postgres' : 'postgres', 'nobody', 'daemon'].find(
      idOf,
    )!;
    const inside = join(await newDirectory(), '.data');
    await chmod(dirname(inside), 0o755);
    // The second is a directory that only root can enter, so that its cluster is elsewhere.
    for (const directory of [inside, await newDirectory()]) {
      const first = await start(directory);
      expect(first.user).toBe(preferred);
      expect(String(statSync(dataOf(first)).uid)).toBe(idOf(preferred));
      await first.stop();
      spawnSync('chown', ['-R', 'daemon:daemon', dataOf(first)]);
      const second = await start(directory);
      expect(second.user).toBe('daemon');
      expect(await query(second.url, 'select 1')).toEqual([1]);
      await second.stop();
    }
  });

  onlyAsRoot('refuses a place outside that somebody else has made or linked', async () => {
    const directory = await newDirectory();
    const first = await start(directory);
    await first.stop();
    const home = dirname(dataOf(first));
    expect(await readFile(join(directory, 'postgres.location'), 'utf8')).toBe(`${home}\n`);
    await rm(home, { recursive: true });
    await mkdir(home);
    await chown(home, 1, 1);
    await expect(start(directory)).rejects.toThrow(`${home} must be a directory that only root can write to`);
    await rm(home, { recursive: true });
    await symlink(directory, home);
    await expect(start(directory)).rejects.toThrow(`${home} must be a directory that only root can write to`);
  });
});

function deadProcess(): number {
  return spawnSync(process.execPath, ['--version']).pid;
}
