import { Duplex } from 'node:stream';
import type { Socket } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import type { ConnectionError, FastifyInstance } from 'fastify';
import { readConfig } from '../../../src/platform/config/config.js';
import { refuseConnection } from '../../../src/web/http/bare-refusals.js';

const refuse = refuseConnection(readConfig({ NODE_ENV: 'test' }));
const FASTIFY = { problemPages: { path: '/problems' } } as FastifyInstance;
const failure = (code: string) => Object.assign(new Error(code), { code }) as ConnectionError;

class TestSocket extends Duplex {
  written = '';

  override _read(): void {}
  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.written += chunk.toString();
    done();
  }
  destroySoon(): void {
    this.end(() => this.destroy());
  }
}

const answerTo = (code: string, facts: object = {}): TestSocket => {
  const socket = Object.assign(new TestSocket(), facts);
  refuse.call(FASTIFY, failure(code), socket as unknown as Socket);
  return socket;
};

describe('refuseConnection', () => {
  it.each([
    ['ERR_HTTP_REQUEST_TIMEOUT', '408 Request Timeout', 'request-timeout'],
    ['HPE_HEADER_OVERFLOW', '431 Request Header Fields Too Large', 'headers-too-large'],
    ['HPE_INVALID_METHOD', '400 Bad Request', 'malformed-request'],
    ['SOMETHING_NEW', '400 Bad Request', 'malformed-request'],
  ])('answers %s with %s', (code, status, slug) => {
    const { written } = answerTo(code);
    expect(written).toMatch(new RegExp(`^HTTP/1\\.1 ${status}\r\n`));
    expect(JSON.parse(written.split('\r\n\r\n')[1]!)).toMatchObject({ type: `/problems/${slug}` });
  });

  it('writes nothing to a client that is gone', () => {
    const socket = answerTo('ECONNRESET');
    expect([socket.written, socket.destroyed]).toEqual(['', true]);
  });

  it('writes nothing into an answer that is on its way', () => {
    const socket = answerTo('HPE_INVALID_CHUNK_SIZE', { _httpMessage: { headersSent: true } });
    expect([socket.written, socket.destroyed]).toEqual(['', true]);
  });
});
