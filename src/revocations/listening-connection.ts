import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { impatientSocket } from '../database/impatient-socket.js';

/** One connection that LISTENs. Once it is lost, it is lost: the next one is a new one. */
export class ListeningConnection {
  readonly #lost = new AbortController();
  readonly #socket: Socket;
  readonly #client: pg.Client;
  #backend: number | undefined;

  constructor(url: string, silenceMs: number, onPayload: (payload: string) => void, onLost: () => void) {
    this.#socket = impatientSocket(silenceMs);
    this.#client = new pg.Client({
      connectionString: url,
      connectionTimeoutMillis: silenceMs,
      application_name: 'auth-modes feed',
      keepAlive: true,
      stream: () => this.#socket,
    });
    this.#lost.signal.addEventListener('abort', onLost, { once: true });
    this.#client.on('error', (error) => this.#lost.abort(error));
    this.#client.on('end', () => this.#lost.abort(new Error('the listening connection ended')));
    this.#client.on('notification', ({ payload }) => onPayload(payload ?? ''));
  }

  async listen(channel: string): Promise<void> {
    await this.#client.connect();
    await this.#client.query(`LISTEN ${channel}`);
    this.#backend = await this.#answeringBackend();
  }

  async query<Row extends object>(text: string, parameters: unknown[]): Promise<Row[]> {
    const { rows } = await this.#client.query<Row>(text, parameters);
    // The answer may have come with what it was given up for.
    this.#lost.signal.throwIfAborted();
    return rows;
  }

  /**
   * Asks for a sign of life. PostgreSQL sends what is committed before it answers, so when this resolves, all that was
   * committed before the call has been heard; unless it resolves to false: behind a pooler one backend hears, and
   * another one answers.
   */
  async beat(): Promise<boolean> {
    return (await this.#answeringBackend()) === this.#backend;
  }

  /** Rejects as soon as the connection is lost. */
  async rest(ms: number): Promise<void> {
    const { signal } = this.#lost;
    await sleep(ms, undefined, { ref: false, signal }).catch(() => {
      throw signal.reason;
    });
  }

  /** It is lost from now on, whatever still arrives. A goodbye would wait for a server that may be silent. */
  giveUp(reason: unknown): void {
    this.#lost.abort(reason);
    this.#socket.destroy();
  }

  async #answeringBackend(): Promise<number> {
    const [row] = await this.query<{ pid: number }>('SELECT pg_backend_pid() AS pid', []);
    return row!.pid;
  }
}
