import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, chown, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { freePort } from './programs.js';
import { until } from './until.js';

/** A PgBouncer in transaction mode before a database, otherwise as it comes. */
export class PgBouncer {
  #output = '';

  private constructor(
    private readonly child: ChildProcess,
    private readonly directory: string,
    /** Of the database, by this way. */
    readonly url: string,
  ) {
    child.stderr!.on('data', (chunk) => (this.#output += chunk));
  }

  static async start(binary: string, database: string, settings: string[] = []): Promise<PgBouncer> {
    const url = new URL(database);
    const socketDirectory = url.searchParams.get('host');
    const port = url.port || '5432';
    const directory = await mkdtemp(join(tmpdir(), 'pgbouncer-'));
    const account = await accountFor(socketDirectory && `${socketDirectory}/.s.PGSQL.${port}`);
    const [ini, users] = [join(directory, 'pgbouncer.ini'), join(directory, 'userlist.txt')];
    const own = await freePort();
    const lines = [
      '[databases]',
      `* = host=${socketDirectory ?? url.hostname} port=${port}`,
      '[pgbouncer]',
      'listen_addr = 127.0.0.1',
      `listen_port = ${own}`,
      'unix_socket_dir =',
      'auth_type = trust',
      `auth_file = ${users}`,
      'pool_mode = transaction',
      ...settings,
    ];
    await writeFile(ini, lines.join('\n'));
    await writeFile(users, `"${url.username}" "${decodeURIComponent(url.password)}"\n`, { mode: 0o600 });
    await chmod(directory, 0o755);
    if (account.uid !== undefined) await chown(users, account.uid, account.gid!);
    const child = spawn(binary, [ini], { ...account, stdio: ['ignore', 'ignore', 'pipe'] });

    url.searchParams.delete('host');
    url.host = `127.0.0.1:${own}`;
    const bouncer = new PgBouncer(child, directory, url.href);
    await until(() => bouncer.#answers());
    return bouncer;
  }

  async stop(): Promise<void> {
    if (this.child.exitCode === null && this.child.kill('SIGTERM')) await once(this.child, 'close');
    await rm(this.directory, { recursive: true });
  }

  async #answers(): Promise<boolean> {
    if (this.child.exitCode !== null) throw new Error(`pgbouncer ended:\n${this.#output}`);
    const client = new pg.Client({ connectionString: this.url });
    client.on('error', () => undefined);
    return client.connect().then(
      () => client.end().then(() => true),
      () => false,
    );
  }
}

const idOfNobody = (flag: string) => Number(execFileSync('id', [flag, 'nobody'], { encoding: 'utf8' }));

/** It refuses to run as root: then it is who may use the socket of the database. */
async function accountFor(socket: string | null): Promise<{ uid?: number; gid?: number }> {
  if (process.getuid?.() !== 0) return {};
  if (socket) return stat(socket).then(({ uid, gid }) => ({ uid, gid }));
  return { uid: idOfNobody('-u'), gid: idOfNobody('-g') };
}
