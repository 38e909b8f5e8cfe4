import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { impatientSocket } from '../database/impatient-socket.js';
import { markAsUnavailable } from '../database/unavailable.js';

/** Sends a notification through the pool. */
export type Notify = (channel: string, payload: string) => Promise<unknown>;

export interface Hearers {
  /** Called with each payload of the channel. */
  readonly onPayload: (payload: string) => void;
  readonly onLost: () => void;
}

/** A notification through the pool does not arrive here. */
export class UnheardError extends Error {}

/** A connection that LISTENs. After a failure it is never used again. */
export class ListeningConnection {
  readonly #lost = new AbortController();
  readonly #socket: Socket;
  readonly #client: pg.Client;
  /** A channel for probes of this connection only. */
  readonly #probes = `probe_${randomBytes(16).toString('hex')}`;
  #sent = 0;
  #heard = 0;
  #sending: Promise<number | undefined> | undefined;

  constructor(
    url: string,
    private readonly silenceMs: number,
    private readonly channel: string,
    { onPayload, onLost }: Hearers,
  ) {
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
    this.#client.on('notification', ({ channel: heard, payload = '' }) => {
      if (heard === this.#probes) this.#heard = Number(payload);
      else onPayload(payload);
    });
  }

  async listen(): Promise<void> {
    try {
      await this.#client.connect();
    } catch (error) {
      throw markAsUnavailable(error);
    }
    await this.#client.query(`LISTEN ${this.channel}; LISTEN ${this.#probes}`);
  }

  /** @param limitMs the limit for silence of the server */
  async query<Row extends object>(
    text: string,
    parameters: unknown[],
    limitMs = this.silenceMs,
  ): Promise<Row[]> {
    this.#socket.setTimeout(limitMs);
    const { rows } = await this.#client.query<Row>(text, parameters);
    this.#socket.setTimeout(this.silenceMs);
    // The connection can have been given up while the answer arrived.
    this.#lost.signal.throwIfAborted();
    return rows;
  }

  /**
   * Proves that this connection receives notifications of the pool: sends a probe by `notify` and checks that it arrived.
   * PostgreSQL delivers notifications in commit order, and before the answer to a query. So this connection has received
   * everything that was committed at the returned time (on the monotonic clock).
   * @returns undefined if the pool did not send the probe within `patienceMs`, which proves nothing
   * @throws UnheardError if the probe was sent and did not arrive
   */
  async prove(notify: Notify, patienceMs: number): Promise<number | undefined> {
    // One probe at a time, so that probes do not fill a stalled pool.
    this.#sending ??= this.#probe(notify).finally(() => (this.#sending = undefined));
    const sentAt = await Promise.race([this.#sending, this.rest(patienceMs)]);
    const sent = this.#sent;
    await this.query('SELECT', []);
    if (sentAt === undefined) return undefined;
    if (this.#heard < sent) throw new UnheardError('a notification sent through the pool did not arrive');
    return sentAt;
  }

  /** Waits. Rejects as soon as the connection is lost. */
  async rest(ms: number): Promise<undefined> {
    const { signal } = this.#lost;
    await sleep(ms, undefined, { ref: false, signal }).catch(() => {
      throw signal.reason;
    });
  }

  /** Drops the connection at once. An orderly end could wait for a silent server. */
  giveUp(reason: unknown): void {
    this.#lost.abort(reason);
    this.#socket.destroy();
  }

  async #probe(notify: Notify): Promise<number | undefined> {
    const sentAt = performance.now();
    this.#sent += 1;
    try {
      await notify(this.#probes, String(this.#sent));
      return sentAt;
    } catch {
      return undefined;
    }
  }
}
