import { isIP } from 'node:net';
import { compile } from '@fastify/proxy-addr';
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import { withoutSpace } from '../../auth/presented-credential.js';
import { z } from 'zod';
import { list } from '../../platform/config/formats.js';
import { defineSettings, type SettingsOf } from '../../platform/config/settings.js';

const LOOPBACK = ['127.0.0.1/8', '::1/128'];

/** An IP address, a network (but not /0), or `loopback`. */
function isProxy(text: string): boolean {
  if (text === 'loopback') return true;
  const [address, bits, ...rest] = text.split('/');
  const version = isIP(address!);
  if (version === 0 || rest.length > 0) return false;
  return bits === undefined || (/^[1-9]\d{0,2}$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128));
}

const proxy = z.string().refine(isProxy, 'must be an IP address, a network such as 10.0.0.0/8, or loopback');

const settings = defineSettings({
  TRUSTED_PROXIES: list
    .pipe(z.array(proxy))
    .transform((proxies) => proxies.flatMap((one) => (one === 'loopback' ? LOOPBACK : [one]))),
});

declare module '../../platform/config/config.js' {
  interface Config extends SettingsOf<typeof settings> {}
}

const MAX_REMEMBERED = 1_000;
/** The longest IPv6 address, with an IPv4 part. A client can send a longer text. */
const LONGEST_ADDRESS = 45;

/** Fastify's `trustProxy`: whether an address is one of these proxies. Remembers addresses, because to parse one takes long. */
export function trustOnly(proxies: string[]): (address: string, hop: number) => boolean {
  const isOurs = compile(proxies);
  const remembered = new Map<string, boolean>();
  return (address, hop) => {
    let trusted = remembered.get(address);
    if (trusted === undefined) {
      trusted = isOurs(address, hop);
      if (remembered.size >= MAX_REMEMBERED) remembered.clear();
      if (isIP(address) !== 0 && address.length <= LONGEST_ADDRESS) remembered.set(address, trusted);
    }
    return trusted;
  };
}

const FORWARDED_FOR = 'x-forwarded-for';
/** Some proxies add a port: `192.0.2.1:443`, `[2001:db8::1]:443`. */
const IPV4_PORT = /^([\d.]+):\d+$/;
const BRACKETED = /^\[([^\]]*)\](?::\d+)?$/;

/**
 * Normalizes the headers of a trusted proxy before anything reads them. Removes ports, and X-Forwarded-Host, because an
 * Origin is compared with `Host`. An invalid address becomes `unknown`: it is in no network, and has one rate limit.
 */
export function readForwarded(fastify: FastifyInstance, logger: Logger): void {
  let told = false;
  fastify.addHook('onRequest', (request, _reply, done) => {
    const { headers } = request;
    if (headers['x-forwarded-host'] !== undefined) delete headers['x-forwarded-host'];
    const forwarded = headers[FORWARDED_FOR];
    if (typeof forwarded === 'string' && isIP(forwarded) === 0) {
      headers[FORWARDED_FOR] = forwarded.split(',').map(withoutPort).join(', ');
      if (isIP(request.ip) === 0) {
        headers[FORWARDED_FOR] = 'unknown';
        if (!told)
          logger.warn('X-Forwarded-For of a trusted proxy has no IP address in the place of the client');
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
