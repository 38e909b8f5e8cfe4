import { Injectable } from '@nestjs/common';
import type { FastifyContextConfig, FastifyInstance } from 'fastify';
import { contextOf } from '../../platform/logging/request-context.js';
import type { MetricFamily } from './metric-family.js';

const NAME = 'http_request_duration_seconds';
/** In seconds. From a credential in memory to a sign-in, which takes at least 250 ms. */
const BOUNDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** The requests to a route by one mode, with one class of statuses. */
class Series {
  /** The last one counts what is longer than all bounds. */
  readonly counts = Array<number>(BOUNDS.length + 1).fill(0);
  sum = 0;

  constructor(readonly labels: Readonly<Record<string, string>>) {}

  add(seconds: number): void {
    let bucket = 0;
    while (bucket < BOUNDS.length && seconds > BOUNDS[bucket]!) bucket += 1;
    this.counts[bucket]! += 1;
    this.sum += seconds;
  }
}

/**
 * A histogram of the durations of requests. The histogram of the library makes a text from the labels for each request, so
 * this room counts itself.
 */
@Injectable()
export class RequestDurations implements MetricFamily {
  readonly name = NAME;
  readonly type = 'histogram';
  readonly help = 'From the first byte of a request until its answer is sent';
  /** By the declared route, because the HEAD of a GET has a configuration of its own. */
  readonly #byRoute = new Map<object, Map<string, Series[]>>();

  watch(fastify: FastifyInstance): void {
    fastify.addHook('onResponse', (request, reply, done) => {
      const mode = contextOf(request)?.facts?.mode ?? 'none';
      this.#seriesOf(request.routeOptions.config, mode, reply.statusCode).add(reply.elapsedTime / 1000);
      done();
    });
  }

  *values() {
    for (const byMode of this.#byRoute.values())
      for (const ofMode of byMode.values())
        // Skips the status classes that no answer had.
        for (const { labels, counts, sum } of ofMode.filter(Boolean)) {
          let total = 0;
          for (const [bucket, count] of counts.entries()) {
            total += count;
            const le = String(BOUNDS[bucket] ?? '+Inf');
            yield { metricName: `${NAME}_bucket`, labels: { ...labels, le }, value: total };
          }
          yield { metricName: `${NAME}_sum`, labels, value: sum };
          yield { metricName: `${NAME}_count`, labels, value: total };
        }
  }

  #seriesOf(config: FastifyContextConfig, mode: string, status: number): Series {
    const route = config.declared?.route ?? config;
    let byMode = this.#byRoute.get(route);
    if (!byMode) this.#byRoute.set(route, (byMode = new Map<string, Series[]>()));
    let byClass = byMode.get(mode);
    if (!byClass) byMode.set(mode, (byClass = []));
    const statusClass = Math.floor(status / 100);
    return (byClass[statusClass] ??= new Series({ ...nameOf(config), mode, status: `${statusClass}xx` }));
  }
}

/** The pattern of the route. The path of an unknown route is the client's text, and could have any value. */
function nameOf({
  declared,
  url,
  method,
}: FastifyContextConfig & { url?: string; method?: string | string[] }) {
  const route = declared?.route;
  if (route) return { method: route.method, route: route.path };
  return url === undefined ? { method: 'any', route: 'unknown' } : { method: String(method), route: url };
}
