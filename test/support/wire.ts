import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type NetConnectOpts, type Socket } from 'node:net';

/** Stands between a server and its database, and can be cut, or stall. */
export class Wire {
  #broken: 'no' | 'closed' | 'silent' = 'no';
  #renamed: readonly [from: string, to: string] | undefined;
  readonly #sockets = new Set<Socket>();
  readonly #listener = createServer((client) => this.#accept(client));

  private constructor(
    private readonly target: NetConnectOpts,
    /** Of the database, by this wire. */
    readonly url: URL,
  ) {}

  static async before(database: string): Promise<Wire> {
    const url = new URL(database);
    const directory = url.searchParams.get('host');
    const port = Number(url.port || 5432);
    const wire = new Wire(
      directory ? { path: `${directory}/.s.PGSQL.${port}` } : { host: url.hostname, port },
      url,
    );
    wire.#listener.listen(0, '127.0.0.1');
    await once(wire.#listener, 'listening');
    url.searchParams.delete('host');
    url.host = `127.0.0.1:${(wire.#listener.address() as AddressInfo).port}`;
    return wire;
  }

  /** Ends all connections; new ones are ended at once too, or never get an answer. */
  cut(how: 'closed' | 'silent'): void {
    this.#broken = how;
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Nothing passes any more, and nobody is told. New connections never get an answer. */
  stall(): void {
    this.#broken = 'silent';
    for (const socket of this.#sockets) socket.unpipe().pause();
  }

  /** For new connections: those that are lost stay lost. */
  mend(): void {
    this.#broken = 'no';
  }

  /** Moves on to another server: ends all connections, and new ones get another database, whose name is as long. */
  failOver(database: string): void {
    this.cut('closed');
    this.#renamed = [this.url.pathname.slice(1), new URL(database).pathname.slice(1)];
    this.mend();
  }

  close(): void {
    this.cut('closed');
    this.#listener.close();
  }

  #accept(client: Socket): void {
    this.#keep(client);
    if (this.#broken === 'closed') client.destroy();
    if (this.#broken !== 'no') return;
    const database = this.#keep(connect(this.target));
    database.pipe(client);
    // The first message of a client names the database.
    client.once('data', (startup) => {
      database.write(
        this.#renamed ? startup.toString('latin1').replace(...this.#renamed) : startup,
        'latin1',
      );
      client.pipe(database);
    });
    client.on('close', () => database.destroy());
    database.on('close', () => client.destroy());
  }

  #keep(socket: Socket): Socket {
    this.#sockets.add(socket);
    socket.on('error', () => undefined).on('close', () => this.#sockets.delete(socket));
    return socket;
  }
}
