import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What the proxy does with a request instead of passing it on and answering it. */
export type Fault =
  /** Passes it on, and closes the connection instead of answering. */
  | 'lose'
  /** Answers it by itself. */
  | { readonly status: number; readonly headers?: Record<string, string> }
  /** Passes it on after this promise. */
  | Promise<unknown>;

export interface Passed {
  /** Such as `GET /v1/users/me`. */
  readonly line: string;
  readonly headers: IncomingMessage['headers'];
  /** Monotonic, in milliseconds. */
  readonly at: number;
}

/** Holds a request until it is opened: `proxy.fail('GET /v1/orders', gate.opened)`. */
export class Gate {
  open!: () => void;
  readonly opened = new Promise<void>((resolve) => (this.open = resolve));
}

/** Stands between a client and the server, on http://localhost. It records requests, and makes some of them fail. */
export class FaultyProxy {
  readonly requests: Passed[] = [];
  /** Pages and scripts by path, which the server does not have. */
  readonly pages = new Map<string, { type: string; text: string }>();
  readonly #faults = new Map<string, Fault[]>();

  private constructor(
    private readonly server: Server,
    readonly url: string,
  ) {}

  static async start(target: () => string): Promise<FaultyProxy> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const proxy = new FaultyProxy(server, `http://localhost:${(server.address() as AddressInfo).port}`);
    server.on('request', (incoming, outgoing) => void proxy.#handle(incoming, outgoing, target()));
    return proxy;
  }

  stop(): void {
    this.server.close().closeAllConnections();
  }

  /** The next requests of this line get these faults, one each. */
  fail(line: string, ...faults: Fault[]): void {
    this.#faults.set(line, [...(this.#faults.get(line) ?? []), ...faults]);
  }

  /** How often a request has come. */
  count(line: string): number {
    return this.requests.filter((passed) => passed.line === line).length;
  }

  async #handle(incoming: IncomingMessage, outgoing: ServerResponse, target: string): Promise<void> {
    const page = this.pages.get(incoming.url!);
    if (page) return void outgoing.setHeader('Content-Type', page.type).end(page.text);
    const line = `${incoming.method} ${incoming.url}`;
    this.requests.push({ line, headers: incoming.headers, at: performance.now() });
    const fault = this.#faults.get(line)?.shift();
    if (fault instanceof Promise) await fault;
    if (fault === undefined || fault === 'lose' || fault instanceof Promise)
      return this.#pass(incoming, outgoing, target, fault === 'lose');
    incoming.resume();
    outgoing.writeHead(fault.status, fault.headers).end('{}');
  }

  #pass(incoming: IncomingMessage, outgoing: ServerResponse, target: string, loses: boolean): void {
    const { method = 'GET', headers, url = '/' } = incoming;
    const forwarded = request(target + url, { method, headers }, (answer) => {
      if (loses) answer.resume().on('end', () => incoming.socket.destroy());
      else answer.pipe(outgoing.writeHead(answer.statusCode!, answer.headers));
    });
    forwarded.on('error', () => incoming.socket.destroy());
    incoming.pipe(forwarded);
  }
}
