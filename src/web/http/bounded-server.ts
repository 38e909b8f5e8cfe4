import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyServerFactory } from 'fastify';
import type { Config } from '../../platform/config/config.js';
import { TurnLimit } from './overload.js';
import { secureResponse } from './security.js';

/** The limit for a request to arrive, and for a client to read more of its answers. */
export const PATIENCE_MS = 30_000;
/** Node's default of 30 s would let timeouts take up to twice as long. */
const CHECK_EVERY_MS = 1_000;
/** Concurrent requests of one connection. Browsers do not pipeline, and other clients use fewer. */
export const MAX_IN_FLIGHT = 16;
/** Waiting requests of one connection. Node reads up to 64 kB at once, which can contain 2,000 requests. */
export const MAX_WAITING = 1_000;

type Exchange = [IncomingMessage, ServerResponse];

/**
 * An HTTP server that limits the memory and time of each connection, refuses what it cannot carry, and sends security
 * headers.
 */
export const boundedServer =
  (config: Config, refuseOverload: (response: ServerResponse) => void): FastifyServerFactory =>
  (handle, options) => {
    const connections = new Map<Socket, Connection>();
    const turn = new TurnLimit();
    const answer: RequestListener = (request, response) => {
      if (turn.isOver()) refuseOverload(response);
      else handle(request, response);
    };
    const take: RequestListener = (request, response) =>
      connections.get(request.socket)?.take([request, response]);
    const server = createServer(
      {
        ServerResponse: secureResponse(config),
        keepAliveTimeout: options['keepAliveTimeout'] as number,
        headersTimeout: PATIENCE_MS,
        requestTimeout: PATIENCE_MS,
        connectionsCheckingInterval: CHECK_EVERY_MS,
      },
      take,
    );
    // Node would answer these itself, without the limits.
    server.on('checkExpectation', take);
    server.on('connection', (socket) => {
      connections.set(socket, new Connection(socket, answer));
      socket.once('close', () => connections.delete(socket));
    });
    const check = setInterval(() => {
      for (const connection of connections.values()) connection.closeIfUnread();
    }, CHECK_EVERY_MS);
    server.once('close', () => clearInterval(check));
    check.unref();
    return server;
  };

class Connection {
  #inFlight = 0;
  readonly #waiting: Exchange[] = [];
  #unread = 0;
  #unreadSince = 0;

  constructor(
    private readonly socket: Socket,
    private readonly handle: RequestListener,
  ) {}

  /** Answers a request now, or after an earlier request of the connection. */
  take(exchange: Exchange): void {
    if (this.#inFlight < MAX_IN_FLIGHT) return this.#answer(exchange);
    if (this.#waiting.length >= MAX_WAITING) return void this.socket.destroy();
    this.#waiting.push(exchange);
    this.socket.pause();
  }

  /** Closes the connection if the client has stopped reading. */
  closeIfUnread(): void {
    const unread = this.socket.writableLength && this.socket.writableLength + writeQueueSize(this.socket);
    if (unread === 0 || unread !== this.#unread) {
      this.#unread = unread;
      this.#unreadSince = performance.now();
    } else if (performance.now() - this.#unreadSince >= PATIENCE_MS) this.socket.destroy();
  }

  #answer([request, response]: Exchange): void {
    this.#inFlight += 1;
    response.once('close', () => this.#next());
    this.handle(request, response);
  }

  #next(): void {
    this.#inFlight -= 1;
    if (this.socket.destroyed) return;
    const next = this.#waiting.shift();
    if (next) this.#answer(next);
    // Node resumes reading after each answer, and would queue more requests.
    if (this.#waiting.length > 0) this.socket.pause();
    else if (next) this.socket.resume();
  }
}

/** The bytes that the system has not accepted yet, as in `net`: `writableLength` does not shrink during a large write. */
const writeQueueSize = (socket: Socket): number =>
  (socket as { _handle?: { writeQueueSize?: number } })._handle?.writeQueueSize ?? 0;
