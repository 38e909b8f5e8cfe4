// The process that loads a server: node load.ts is forked, gets an order, and answers with what came of it.
import autocannon from 'autocannon';

export interface Order {
  readonly url: string;
  readonly connections: number;
  readonly seconds: number;
  /** Requests per second. Undefined: each connection sends its next request as soon as it has its answer. */
  readonly rate?: number;
  /** One header for each request, in turn. An empty list sends none. */
  readonly credentials: readonly string[];
  readonly header: string;
}

export interface Outcome {
  readonly requests: number;
  readonly unexpected: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
}

async function load({ url, connections, seconds, rate, credentials, header }: Order): Promise<Outcome> {
  let next = 0;
  // Behind a proxy that ends TLS, as in production.
  const fixed = { 'X-Forwarded-Proto': 'https', 'X-Forwarded-For': '192.0.2.1' };
  const setupRequest = (request: autocannon.Request): autocannon.Request => {
    const credential = credentials[next++ % credentials.length];
    return { ...request, headers: { ...fixed, ...(credential !== undefined && { [header]: credential }) } };
  };
  const { latency, non2xx, errors, timeouts, ...result } = await autocannon({
    url,
    connections,
    duration: seconds,
    ...(rate !== undefined && { overallRate: rate }),
    requests: credentials.length > 1 ? [{ setupRequest }] : [{ headers: setupRequest({}).headers ?? {} }],
  });
  return {
    requests: result['2xx'],
    unexpected: non2xx + errors + timeouts,
    p50: latency.p50,
    p99: latency.p99,
    p999: latency.p99_9,
  };
}

process.on('message', (order: Order) => void load(order).then((outcome) => process.send!(outcome)));
