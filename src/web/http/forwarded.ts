import { isIP } from 'node:net';
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import { withoutSpace } from '../../auth/presented-credential.js';

const FORWARDED_FOR = 'x-forwarded-for';
/** `192.0.2.1:443` and `[2001:db8::1]:443`, as some proxies write an address; a bare IPv6 address has no port. */
const IPV4_PORT = /^([\d.]+):\d+$/;
const BRACKETED = /^\[([^\]]*)\](?::\d+)?$/;

/**
 * What a trusted proxy forwards, before anything reads it: addresses without their ports, and never another host, since
 * an Origin is compared with `Host`. An address that cannot be read is `unknown`, which is in no network and has one
 * rate limit.
 */
export function readForwarded(fastify: FastifyInstance, logger: Logger): void {
  let told = false;
  fastify.addHook('onRequest', (request, _reply, done) => {
    const { headers } = request;
    delete headers['x-forwarded-host'];
    const forwarded = headers[FORWARDED_FOR];
    if (typeof forwarded === 'string') {
      headers[FORWARDED_FOR] = forwarded.split(',').map(withoutPort).join(', ');
      if (isIP(request.ip) === 0) {
        headers[FORWARDED_FOR] = 'unknown';
        if (!told)
          logger.warn('X-Forwarded-For of a trusted proxy has no IP address where the client is expected');
        told = true;
      }
    }
    done();
  });
}

function withoutPort(entry: string): string {
  const text = withoutSpace(entry);
  return (IPV4_PORT.exec(text) ?? BRACKETED.exec(text))?.[1] ?? text;
}
