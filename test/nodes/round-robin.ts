import { once } from 'node:events';
import { Agent, createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { send } from '../support/raw-http.js';
import { until } from '../support/until.js';

const POLL_MS = 100;

interface Backend {
  readonly url: string;
  /** Keeps connections open, as proxies do. */
  readonly agent: Agent;
  isReady: boolean;
  served: number;
}

/**
 * A proxy that sends each request to the next node that is ready. It asks GET /health/ready every 100 ms. It never repeats
 * a request: what fails, fails.
 */
export class RoundRobin {
  readonly #backends: Backend[] = [];
  readonly #server = createServer((from, to) => this.#pass(from, to));
  readonly #polling = setInterval(() => void this.#poll(), POLL_MS);
  #next = 0;

  static async start(): Promise<RoundRobin> {
    const proxy = new RoundRobin();
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Adds a node, and waits until it is ready. */
  async add(url: string): Promise<void> {
    const agent = new Agent({ keepAlive: true });
    const backend: Backend = { url, agent, isReady: false, served: 0 };
    this.#backends.push(backend);
    await until(() => backend.isReady);
  }

  /** Waits until a node has answered a request. */
  async serves(url: string): Promise<void> {
    await until(() => this.#backends.some((backend) => backend.url === url && backend.served > 0));
  }

  /** Waits until a node gets no requests any more. */
  async isGone(url: string): Promise<void> {
    await until(() => this.#backends.every((backend) => backend.url !== url || !backend.isReady));
  }

  close(): void {
    clearInterval(this.#polling);
    this.#server.close();
    this.#server.closeAllConnections();
    for (const { agent } of this.#backends) agent.destroy();
  }

  async #poll(): Promise<void> {
    for (const backend of this.#backends)
      backend.isReady = await send(backend.url, 'GET', '/health/ready').then(
        ({ status }) => status === 200,
        () => false,
      );
  }

  #pass(from: IncomingMessage, to: ServerResponse): void {
    const ready = this.#backends.filter(({ isReady }) => isReady);
    const backend = ready[this.#next++ % ready.length];
    if (!backend) return void to.writeHead(502).end('no node is ready');
    const { hostname, port } = new URL(backend.url);
    const { method, url: path, headers } = from;
    const passed = request({ hostname, port, method, path, headers, agent: backend.agent }, (answer) => {
      backend.served += 1;
      to.writeHead(answer.statusCode!, answer.headers);
      answer.pipe(to);
    });
    passed.on('error', (error) => to.writeHead(502).end(String(error)));
    from.pipe(passed);
  }
}
