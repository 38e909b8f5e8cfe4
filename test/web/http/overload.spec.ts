import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { useServer } from '../../support/server.js';
import { until } from '../../support/until.js';

const BUSY = 'GET /health/live HTTP/1.1\r\nHost: x\r\nX-Busy: 300\r\n\r\n';
const REQUEST = 'GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n';

describe('overload', () => {
  const context = useServer({ fixture: 'test/web/http/overload.fixture.ts#busy' });

  /** Sends requests that arrive together, and returns the answers. */
  async function sendTogether(first: string, others: number): Promise<string[]> {
    const socket = connect(Number(new URL(context.server.url).port), '127.0.0.1');
    await once(socket, 'connect');
    let text = '';
    socket.setEncoding('latin1').on('data', (chunk: string) => (text += chunk));
    socket.write(first + REQUEST.repeat(others));
    await until(() => text.split('HTTP/1.1 ').length === others + 2);
    socket.destroy();
    return text.split('HTTP/1.1 ').slice(1);
  }

  it('refuses requests that come too late in a turn, and recovers at once', async () => {
    const answers = await sendTogether(BUSY, 600);
    const refused = answers.filter((answer) => answer.startsWith('503'));
    expect(refused).toHaveLength(answers.length - 500);
    expect(refused[0]).toMatch(/^retry-after: 1\r$/im);
    expect(refused[0]).toMatch(/^x-content-type-options: nosniff\r$/im);
    const requestId = /^x-request-id: (.*)\r$/im.exec(refused[0]!)?.[1];
    expect(JSON.parse(refused[0]!.split('\r\n\r\n')[1]!)).toMatchObject({
      type: expect.stringMatching(/\/problems\/overloaded$/),
      status: 503,
      instance: requestId,
    });
    const { status } = await context.server.anonymous.get('/health/live');
    expect(status).toBe(200);
    const isReport = ({ requests }: Record<string, unknown>) => requests === refused.length;
    await until(async () => (await context.server.entries()).some(isReport));
  });

  it('is neither many requests in a short turn, nor few in a long one', async () => {
    for (const [first, others] of [
      [REQUEST, 600],
      [BUSY, 400],
    ] as const) {
      const answers = await sendTogether(first, others);
      expect(answers.filter((answer) => !answer.startsWith('200'))).toEqual([]);
    }
  });
});
