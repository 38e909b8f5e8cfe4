import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyServerFactory } from 'fastify';

/** A request must arrive within this time, and a client must go on reading its answers. */
export const PATIENCE_MS = 30_000;
/** Node itself looks every 30 s, so that its timeouts take up to twice as long. */
const CHECK_EVERY_MS = 1_000;
/** Requests of one connection that are being answered. Browsers do not pipeline, and other clients by less. */
export const MAX_IN_FLIGHT = 16;
/** Node reads up to 64 kB at once, which may be 2,000 requests: a client that sends so many is cut off. */
export const MAX_WAITING = 1_000;

type Exchange = [IncomingMessage, ServerResponse];

/** An HTTP server that bounds what one connection can cost: memory, and time. */
export const boundedServer: FastifyServerFactory = (handle, options) => {
  const connections = new Map<Socket, Connection>();
  const take: RequestListener = (request, response) =>
    connections.get(request.socket)?.take([request, response]);
  const server = createServer(
    {
      keepAliveTimeout: options['keepAliveTimeout'] as number,
      headersTimeout: PATIENCE_MS,
      requestTimeout: PATIENCE_MS,
      connectionsCheckingInterval: CHECK_EVERY_MS,
    },
    take,
  );
  // Node would answer these itself, outside of all bounds.
  server.on('checkExpectation', take);
  server.on('connection', (socket) => {
    connections.set(socket, new Connection(socket, handle));
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

  /** Answers a request at once, or when an earlier one of the connection has been answered. */
  take(exchange: Exchange): void {
    if (this.#inFlight < MAX_IN_FLIGHT) return this.#answer(exchange);
    if (this.#waiting.length >= MAX_WAITING) return void this.socket.destroy();
    this.#waiting.push(exchange);
    this.socket.pause();
  }

  /** Closes the connection if the client has read nothing of what was written for it. */
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
    // Node reads on after each answer, and would gather more.
    if (this.#waiting.length > 0) this.socket.pause();
    else if (next) this.socket.resume();
  }
}

/** How much of a write the system has not taken yet, as `net` itself asks it: a large one is one item of `writableLength`. */
const writeQueueSize = (socket: Socket): number =>
  (socket as { _handle?: { writeQueueSize?: number } })._handle?.writeQueueSize ?? 0;
